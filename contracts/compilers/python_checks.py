"""Row checks that are Python code of a domain, as Pandera checks.

A function is named as `module:function` below the domain's own package; a check that is registered
with Pandera is named as there and lives in `domains.<domain>.checks`. Nothing else is imported.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model.rules import Rule


FUNCTION = "custom"
OPTIONS = ("function", "element_wise")


def module_of(rule: Rule) -> Any:
    """Return the imported module that holds a rule's code."""
    return importlib.import_module(rule.source.partition(":")[0])


def check_of(rule: Rule) -> Any:
    """Return the Pandera check that a rule's code makes.

    Raises:
        ImportError: the code is not there.
        TypeError: Pandera does not take these arguments.
    """
    import pandera.pandas as pa

    module, given = module_of(rule), dict(rule.arguments)
    if rule.check != FUNCTION:
        if rule.check not in pa.Check.REGISTERED_CUSTOM_CHECKS:
            raise ImportError(f"{module.__name__} does not register it with Pandera")
        check = getattr(pa.Check, rule.check)(**given)
        if set(given) - set(check.statistics_args):
            raise TypeError(f"it takes {', '.join(check.statistics_args) or 'no argument'}")
        return check
    name = rule.source.partition(":")[2]
    function: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(function):
        raise ImportError(f"{module.__name__} has no function '{name}'")  # noqa: TRY004 - not there
    rest = {key: value for key, value in given.items() if key not in OPTIONS}
    return pa.Check(function, element_wise=bool(given.get("element_wise")), **rest)
