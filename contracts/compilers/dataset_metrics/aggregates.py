"""The aggregate of a dataset's rules: one expression a measure, in Spark's SQL and in DuckDB's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.sql import literal, name, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.model.dataset_rule import DatasetRule

FLOATS = ("float", "double")
NUMBERS = (*FLOATS, "tinyint", "smallint", "int", "bigint", "decimal")
# What a change of the source left out is not missing
LEFT_OUT = "_unavailable"
CATEGORIES = 20


@dataclass(frozen=True)
class Dialect:
    """How one engine writes what the two write differently."""

    quote: Callable[[str], str]
    text: Callable[[Any], str]
    tuple_of: str
    double: str
    micros: str
    quantiles: str
    most_frequent: str


SPARK = Dialect(
    name, literal, "struct({})", "double", "unix_micros(max(cast({} as timestamp)))",
    "percentile_approx(cast({} as double), array({}))",
    f"transform(approx_top_k(cast({{}} as string), {CATEGORIES}), one -> one.item)",
)  # fmt: skip
DUCKDB = Dialect(
    quoted, lambda value: "'" + str(value).replace("'", "''") + "'", "row({})", "double",
    "epoch_us(max(cast({} as timestamp)))",
    "quantile_cont(cast({} as double), [{}])",
    f"approx_top_k(cast({{}} as varchar), {CATEGORIES})",
)  # fmt: skip


def is_number(kind: str) -> bool:
    """Return whether a Spark type is one of numbers: told apart by ranges, not by value."""
    return kind.partition("(")[0] in NUMBERS


def measured(
    rule: DatasetRule, kinds: Mapping[str, str], dialect: Dialect, *, left_out: bool
) -> str:
    """Return the aggregate that measures a rule's metric, in rows, values or microseconds."""
    columns = [dialect.quote(column) for column in rule.columns]
    if rule.metric == "rowCount":
        return "count(*)"
    if rule.metric == "duplicateValues":
        together = dialect.tuple_of.format(", ".join(columns))
        return f"count(*) - count(distinct {together})"
    [column] = columns
    if rule.metric == "distinctValues":
        return f"count(distinct {column})"
    if rule.metric == "sum":
        return f"cast(coalesce(sum({column}), 0) as double)"
    if rule.metric == "freshness":
        return dialect.micros.format(column)
    absent = f"{column} is null"
    if kinds[rule.columns[0]] in FLOATS:
        absent += f" or isnan({column})"
    if rule.metric == "missingValues" and rule.values:
        listed = ", ".join(dialect.text(str(value)) for value in rule.values)
        absent += (
            f" or cast({column} as {'string' if dialect is SPARK else 'varchar'}) in ({listed})"
        )
    if left_out:
        absent = f"({absent}) and not coalesce(array_contains({LEFT_OUT}, {dialect.text(rule.columns[0])}), false)"
    return f"count_if({absent})"


def cuts(rule: DatasetRule, kinds: Mapping[str, str], dialect: Dialect) -> str:
    """Return the aggregate that chooses the bins of a column: quantiles, or frequent values."""
    column = dialect.quote(rule.columns[0])
    if is_number(kinds[rule.columns[0]]):
        shares = ", ".join(f"{place / rule.bins:.4f}" for place in range(1, rule.bins))
        return dialect.quantiles.format(column, shares)
    return dialect.most_frequent.format(column)


def bin_counts(column: str, kind: str, chosen: list[Any], dialect: Dialect) -> list[str]:
    """Return an aggregate a bin: the rows up to each cut and above the last, or of each value.

    A null is in no bin; a value that is none of the frequent ones is in the last.
    """
    quoted_name = dialect.quote(column)
    if not is_number(kind):
        value = f"cast({quoted_name} as {'string' if dialect is SPARK else 'varchar'})"
        texts = [dialect.text(each) for each in chosen]
        others = f"{value} not in ({', '.join(texts)})" if texts else f"{value} is not null"
        return [f"count_if({value} = {text})" for text in texts] + [f"count_if({others})"]
    value = f"cast({quoted_name} as double)"
    usable = f"{value} is not null and not isnan({value})"
    edges = [f"cast({edge!r} as double)" for edge in chosen]
    found, below = [], "true"
    for edge in edges:
        found.append(f"count_if({usable} and {below} and {value} <= {edge})")
        below = f"{value} > {edge}"
    return [*found, f"count_if({usable} and {below})"]
