"""Checks that are Python code of a domain: where they may come from, and how they are found.

A function is named as `module:function` below the domain's own package; a check that is registered
with Pandera is named as there and lives in `domains.<domain>.checks`. Nothing else is imported.
"""

from __future__ import annotations

import importlib
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from contracts.model.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.parsing.document import Document

FUNCTION = "custom"
OPTIONS = ("function", "element_wise")
# A rule on what values a dataset has, not on what one row has
OF_DATASETS = {
    "unique_values_eq": "is a rule on the dataset: write isin with these values, and beside it the "
    "dataset rule distinctValues with their number",
}


def custom_rule(source: Document, path: list[str | int], rule: Rule, domain: str) -> Rule:
    """Return a rule that Python code judges, found and callable; raise ContractError otherwise."""
    said = f"column '{rule.column}': check '{rule.check}'"
    if rule.check in OF_DATASETS:
        raise source.error(path, f"{said} {OF_DATASETS[rule.check]}")
    if rule.check == FUNCTION:
        place = str(rule.arguments.get("function", ""))
        if not re.fullmatch(rf"domains\.{re.escape(domain)}(\.[a-z_0-9]+)+:[a-z_0-9]+", place):
            message = f"{said}: function '{place}' is no 'domains.{domain}.<module>:<function>'"
            raise source.error(path, message)
    else:
        place = f"domains.{domain}.checks"
        if not _there(place):
            raise source.error(path, f"{said} is not known to Pandera, and there is no {place}")
    found = Rule(
        rule.column, rule.check, rule.arguments, rule.severity, rule.name, rule.description, place
    )
    try:
        check_of(found)
    except (ImportError, TypeError, ValueError) as error:
        raise source.error(path, f"{said}: {error}") from None
    return found


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


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
