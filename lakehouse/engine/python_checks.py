"""Rules that only Python can validate: on Arrow batches, in the job that evaluates the gate."""

# pyarrow and pandas ship no types; a check of Pandera has no public access to its function
# pyright: reportPrivateUsage=false
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql import functions as F

from contracts.compilers import python_checks
from contracts.compilers.conditions import python_rules
from contracts.compilers.pandas_frame import series

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from contracts.model.contract import Contract
    from contracts.model.rules import Rule


def with_python_checks(rows: DataFrame, contract: Contract) -> DataFrame:
    """Return the rows with a boolean column for each rule that Python validates: whether the row violates it.

    The columns have the names by which `contracts.compilers.gate` knows them. Without such rules the rows
    come back as they are.
    """
    columns = {
        name: _violates(rule, contract.column(rule.column).type)
        for name, rule in python_rules(contract).items()
    }
    return rows.withColumns(columns) if columns else rows


def _violates(rule: Rule, spark_type: str) -> Column:
    """Return whether a column violates a rule, by the domain's code, which travels with the job."""
    if rule.source:
        cloudpickle.register_pickle_by_value(python_checks.module_of(rule))
    check = python_checks.check_in_python(rule, spark_type)
    function, element_wise = check._check_fn, bool(check.element_wise)  # noqa: SLF001
    given, ignores_null = dict(check._check_kwargs), bool(check.ignore_na)  # noqa: SLF001
    label = f"{rule.column}: {rule.label}"

    def breaks(values: pa.Array) -> pa.Array:
        return violations(
            values, spark_type, function, given, label,
            element_wise=element_wise, ignores_null=ignores_null,
        )  # fmt: skip

    udf: Any = F.arrow_udf
    return udf(breaks, "boolean")(F.col(rule.column))


def violations(
    values: pa.Array,
    spark_type: str,
    function: Any,
    given: dict[str, Any],
    label: str,
    *,
    element_wise: bool,
    ignores_null: bool,
) -> pa.Array:
    """Return for each value whether it violates the rule, as Pandera calls and reads a check.

    Raises:
        TypeError: the function returned no boolean for each row, so it cannot validate rows.
    """
    import pandas as pd
    import pandera.pandas as pandera

    column = series(values, spark_type)
    check = pandera.Check(function, element_wise=element_wise, ignore_na=ignores_null, **given)
    passed = check(column).check_output
    if not isinstance(passed, pd.Series):
        raise TypeError(
            f"{label}: the function returned {passed!r} for a batch, not one boolean a row"
        )
    failed = ~passed.fillna(False).astype(bool)
    return pa.array(failed.reindex(column.index, fill_value=False), pa.bool_())
