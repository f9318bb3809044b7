"""A contract as a Pandera schema, for notebooks, unit tests of a producer and parity tests."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from contracts.checks.values import OF_THE_COLUMN, arguments_of, kind_of
from contracts.compilers import python_checks
from contracts.compilers.pandas_frame import PANDAS, condition

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

    from contracts.model.contract import Column, Contract
    from contracts.model.rules import Rule


def pandera_schema(contract: Contract) -> pa.DataFrameSchema:
    """Return the schema: one Pandera column a contract column, with the row rules as checks.

    Rules of severity `warning` raise a warning in Pandera too. The key is jointly unique, and so
    is what the contract calls unique; references need the other dataset and are not judged here.
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
            _repeats(rule.columns), name=rule.label, error=rule.label,
            raise_warning=rule.severity == "warning", ignore_na=False,
        )
        for rule in contract.unique
    ]  # fmt: skip
    return pa.DataFrameSchema(
        columns, checks=checks, unique=list(contract.keys) or None, name=contract.dataset
    )


def check_of(rule: Rule, column: Column) -> pa.Check:
    """Return the Pandera check of a rule, with values in the column's own type."""
    import pandera.pandas as pa

    if rule.source:
        return _named(python_checks.check_of(rule), rule)
    _register()
    given = arguments_of(rule.check, rule.arguments, column.type)
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = [_in_pandas(item, column.type) for item in value]
        elif name in OF_THE_COLUMN:
            given[name] = _in_pandas(value, column.type)
    return _named(getattr(pa.Check, rule.check)(**given), rule)


def _named(check: pa.Check, rule: Rule) -> pa.Check:
    """Return the check under the rule's name; a registered check takes no name when it is made."""
    check.name = check.error = rule.label
    check.raise_warning = rule.severity == "warning"
    # What Pandera writes to YAML, which knows plain values only
    check.statistics = dict(rule.arguments)
    return check


def _in_pandas(value: Any, spark_type: str) -> Any:
    import numpy as np
    import pandas as pd

    kind = kind_of(spark_type)
    if kind in ("date", "timestamp"):
        return pd.Timestamp(value)
    if kind == "float" and isinstance(value, float):
        return np.float32(value)
    if kind != "decimal" and isinstance(value, Decimal):
        return float(value)
    return value


def _repeats(columns: tuple[str, ...]) -> Any:
    def alone(frame: pd.DataFrame) -> pd.Series:
        """Return for each row whether no other has its values; a null among them is no value."""
        named = list(columns)
        return ~frame.duplicated(named, keep=False) | frame[named].isna().any(axis="columns")

    return alone


def _register() -> None:
    """Tell Pandera the checks of the standard that it has no name for."""
    import pandera.pandas as pa
    from pandera import extensions

    if "multiple_of" in pa.Check.REGISTERED_CUSTOM_CHECKS:
        return

    @extensions.register_check_method(statistics=["divisor"])
    def multiple_of(values: pd.Series, *, divisor: Any) -> Any:
        return values % divisor == 0

    @extensions.register_check_method(statistics=["min_items", "max_items"])
    def items_in_range(values: pd.Series, *, min_items: Any = None, max_items: Any = None) -> Any:
        sizes = values.map(len)
        return (sizes >= (min_items or 0)) & ((max_items is None) | (sizes <= (max_items or 0)))

    @extensions.register_check_method()
    def items_unique(values: pd.Series) -> Any:
        return values.map(lambda items: len({repr(item) for item in items}) == len(items))
