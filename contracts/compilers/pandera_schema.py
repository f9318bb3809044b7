"""A contract as a Pandera schema, for notebooks, unit tests of a producer and parity tests."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pandas ships no types, and Pandera's registration of checks is partly untyped

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from contracts.checks.registry import CHECKS
from contracts.compilers import python_checks
from contracts.compilers.pandas_frame import PANDAS, condition

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

    from contracts.checks.check import Check
    from contracts.model.contract import Column, Contract
    from contracts.model.rules import Rule


def pandera_schema(contract: Contract) -> pa.DataFrameSchema:
    """Return the schema: one Pandera column a contract column, with the row rules as checks.

    Rules of severity `warning` raise a warning in Pandera too. The key is jointly unique, and so
    is what the contract calls unique; references need the other dataset and are not validated here.
    """
    import pandera.pandas as pa

    columns: dict[str, Any] = {}
    for column in contract.columns:
        columns[column.name] = pa.Column(
            PANDAS.get(column.type),
            checks=[
                check_of(rule, column)
                for rule in contract.rules
                if rule.column == column.name and rule.check != "required"
            ],
            nullable=not column.required,
            coerce=True,
            description=column.description,
        )
    checks = [
        pa.Check(
            condition(rule.sql, contract), name=rule.name, error=rule.name,
            raise_warning=rule.severity == "warning", ignore_na=False,
        )
        for rule in contract.row_rules
    ]  # fmt: skip
    checks += [
        pa.Check(
            _unique_together(rule.columns), name=rule.label, error=rule.label,
            raise_warning=rule.severity == "warning", ignore_na=False,
        )
        for rule in contract.unique
    ]  # fmt: skip
    return pa.DataFrameSchema(
        columns, checks=checks, unique=list(contract.keys) or None, name=contract.dataset
    )


def check_of(rule: Rule, column: Column) -> pa.Check:
    """Return the Pandera check of a rule, under the rule's name, with values in the column's type."""
    import pandera.pandas as pa

    if rule.source:
        return _named(python_checks.check_of(rule), rule)
    check = CHECKS[rule.check]
    if not hasattr(pa.Check, check.name):
        _register(check)
    given = python_checks.arguments_in_pandas(rule, column.type)
    return _named(getattr(pa.Check, check.name)(**given), rule)


def _named(check: pa.Check, rule: Rule) -> pa.Check:
    """Return the check under the rule's name; a registered check takes no name when it is made."""
    check.name = check.error = rule.label
    check.raise_warning = rule.severity == "warning"
    # What Pandera writes to YAML, which has plain values only
    check.statistics = dict(rule.arguments)
    return check


def _unique_together(columns: tuple[str, ...]) -> Any:
    def is_unique(frame: pd.DataFrame) -> pd.Series:
        """Return for each row whether no other has its values; a null among them counts as no value."""
        named = list(columns)
        return ~frame.duplicated(named, keep=False) | frame[named].isna().any(axis="columns")

    return is_unique


def _register(check: Check) -> None:
    """Register a check with Pandera, which has none of that name."""
    from pandera import extensions

    function = check.function
    if function is None:
        raise TypeError(f"Pandera has no check {check.name}, so its entry needs a function")

    @functools.wraps(function)
    def method(values: Any, **given: Any) -> Any:
        return function(values, **given)

    method.__name__ = check.name
    how = "element_wise" if check.element_wise else "vectorized"
    extensions.register_check_method(method, statistics=list(check.takes), check_type=how)
