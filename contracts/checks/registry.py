"""The registry of row checks: whatever validates, translates or compares a check finds it here.

A new check is an entry in `CHECKS` of one of the files, or a file of its own with a line below.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.checks.check import Check

MODULES = (
    "contracts.checks.ranges",
    "contracts.checks.membership",
    "contracts.checks.text",
    "contracts.checks.items",
)


def checks_of(modules: Iterable[str]) -> dict[str, Check]:
    """Return the checks of modules by name: what each has as `CHECKS`."""
    checks: Iterable[Check] = (check for name in modules for check in import_module(name).CHECKS)
    return {check.name: check for check in checks}


CHECKS = checks_of(MODULES)


def named(name: str) -> Check | None:
    """Return a check by its name or an alias, None where there is no such check."""
    by_alias = (check for check in CHECKS.values() if name in check.aliases)
    return CHECKS.get(name) or next(by_alias, None)


def declared_by(option: str) -> tuple[Check, str] | None:
    """Return the check that an ODCS option declares and the argument it gives, None for no check."""
    for check in CHECKS.values():
        if option in check.options:
            return check, check.options[option]
    return None
