"""Measures what a dataset's rules need, all of it in one aggregate over the changed rows.

The SQL of each metric stands in `contracts.metrics`, where metrics are added.
"""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from contracts.metrics.bins import bin_counts, cuts, is_number
from contracts.metrics.dialect import DUCKDB, SPARK, Dialect
from contracts.metrics.metric import UNCHANGED, MetricInput
from contracts.metrics.registry import METRICS
from lakehouse.engine.duckdb import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from contracts.model.dataset_rule import DatasetRule

    # Named aggregates to their values
    Query = Callable[[dict[str, str]], dict[str, Any]]
ROWS = "rowCount"


@dataclass(frozen=True)
class Distribution:
    """How many rows each bin of a column has; `cuts` are its upper edges, or its values."""

    cuts: list[Any]
    counts: list[int]


@dataclass
class Measures:
    """The measures of a dataset: rows, values by measure, distributions by column."""

    rows: int = 0
    values: dict[str, float | None] = field(default_factory=dict[str, "float | None"])
    distributions: dict[str, Distribution] = field(default_factory=dict[str, Distribution])


def measure(
    rows: pa.Table | DataFrame,
    rules: Iterable[DatasetRule],
    kinds: Mapping[str, str],
    earlier: Mapping[str, Distribution],
) -> Measures:
    """Return the measures of some rows: one aggregate, whatever the number of rules.

    `kinds` are the columns' Spark types, `earlier` the last good distributions. A column without
    one costs a second aggregate, the first time: its bins are chosen before its rows are counted.
    """
    measured = [rule for rule in rules if METRICS[rule.metric].kind != "run"]
    if not measured:
        return Measures()
    query, dialect, columns = _engine(rows)
    values: dict[str, str] = {}
    for rule in measured:
        aggregate = METRICS[rule.metric].aggregate
        if aggregate is not None:
            given = MetricInput(rule, kinds, dialect, partial_updates=UNCHANGED in columns)
            values[rule.measure] = aggregate(given)
    binned = {
        rule.columns[0]: rule for rule in measured if METRICS[rule.metric].kind == "distribution"
    }
    bins = {column: earlier[column].cuts for column in binned if column in earlier}
    unbinned = {c: cuts(rule, kinds, dialect) for c, rule in binned.items() if c not in bins}
    first = query({ROWS: "count(*)", **values, **unbinned, **_bins(bins, kinds, dialect)})
    chosen = {c: _usable(first[c], number=is_number(kinds[c])) for c in unbinned}
    counted = first | (query(_bins(chosen, kinds, dialect)) if chosen else {})
    return Measures(
        int(first[ROWS]),
        {key: first[key] for key in values},
        {
            column: Distribution(
                edges, [int(counted[f"{column}\0{place}"]) for place in range(len(edges) + 1)]
            )
            for column, edges in (bins | chosen).items()
        },
    )


def _bins(
    bins: Mapping[str, list[Any]], kinds: Mapping[str, str], dialect: Dialect
) -> dict[str, str]:
    return {
        f"{column}\0{place}": expression
        for column, edges in bins.items()
        for place, expression in enumerate(bin_counts(column, kinds[column], edges, dialect))
    }


def _usable(chosen: list[Any] | None, *, number: bool) -> list[Any]:
    """Return distinct cuts in order: a value that is very frequent is several quantiles."""
    given = [cut for cut in chosen or [] if cut is not None]
    return sorted({float(cut) for cut in given}) if number else sorted({str(cut) for cut in given})


def _engine(rows: pa.Table | DataFrame) -> tuple[Query, Dialect, list[str]]:
    if hasattr(rows, "sparkSession"):
        frame = cast("DataFrame", rows)
        return lambda wanted: _by_spark(frame, wanted), SPARK, list(frame.columns)
    table = cast("pa.Table", rows)
    return lambda wanted: _by_duckdb(table, wanted), DUCKDB, list(table.column_names)


def _by_spark(rows: DataFrame, wanted: dict[str, str]) -> dict[str, Any]:
    from pyspark.sql import functions as F

    row = rows.agg(*[F.expr(e).alias(f"m{i}") for i, e in enumerate(wanted.values())]).first()
    assert row is not None
    return dict(zip(wanted, row, strict=True))


def _by_duckdb(rows: pa.Table, wanted: dict[str, str]) -> dict[str, Any]:
    with connection() as database:
        database.register("changed", rows)
        row = database.execute(f"select {', '.join(wanted.values())} from changed").fetchone()
    assert row is not None
    return dict(zip(wanted, row, strict=True))
