"""Row checks that are Python code of a domain: where they may come from."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

from contracts.compilers.python_checks import FUNCTION, check_of
from contracts.model.rules import Rule

if TYPE_CHECKING:
    from contracts.parsing.document import Document

# A rule on what values a dataset has, not on what one row has
OF_DATASETS = {
    "unique_values_eq": "is a rule on the dataset: write isin with these values, and beside it the "
    "dataset rule distinctValues with their number",
}


def custom_rule(source: Document, path: list[str | int], rule: Rule, domain: str) -> Rule:
    """Return a rule whose check is a domain's Python code, located and callable.

    Raises:
        ContractError: the code is not there, or does not take these arguments.
    """
    subject = f"column '{rule.column}': check '{rule.check}'"
    if rule.check in OF_DATASETS:
        raise source.error(path, f"{subject} {OF_DATASETS[rule.check]}")
    if rule.check == FUNCTION:
        place = str(rule.arguments.get("function", ""))
        if not re.fullmatch(rf"domains\.{re.escape(domain)}(\.[a-z_0-9]+)+:[a-z_0-9]+", place):
            message = f"{subject}: function '{place}' is no 'domains.{domain}.<module>:<function>'"
            raise source.error(path, message)
    else:
        place = f"domains.{domain}.checks"
        if not _there(place):
            raise source.error(path, f"{subject} is not known to Pandera, and there is no {place}")
    located = Rule(
        rule.column, rule.check, rule.arguments, rule.severity, rule.name, rule.description, place
    )
    try:
        check_of(located)
    except (ImportError, TypeError, ValueError) as error:
        raise source.error(path, f"{subject}: {error}") from None
    return located


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
