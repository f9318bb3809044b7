"""Measures what a dataset's rules need, all of it in one aggregate over the changed rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contracts.compilers.dataset_metrics.aggregates import (
    DUCKDB,
    LEFT_OUT,
    SPARK,
    Dialect,
    bin_counts,
    cuts,
    is_number,
    measured,
)
from lakehouse.engine.duckdb import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from contracts.model.dataset_rule import DatasetRule

    Run = Callable[[dict[str, str]], dict[str, Any]]
# Measured by the run itself, not in the rows
COUNTED = ("badRows", "reconciliation")
ROWS = "rowCount"


@dataclass(frozen=True)
class Distribution:
    """How many rows each bin of a column has; `cuts` are its upper edges, or its values."""

    cuts: list[Any]
    counts: list[int]


@dataclass
class Measures:
    """What was measured of a dataset: rows, values by measure, distributions by column."""

    rows: int = 0
    values: dict[str, float | None] = field(default_factory=dict)
    distributions: dict[str, Distribution] = field(default_factory=dict)


def measure(
    rows: pa.Table | DataFrame,
    rules: Iterable[DatasetRule],
    kinds: Mapping[str, str],
    known: Mapping[str, Distribution],
) -> Measures:
    """Return the measures of some rows: one aggregate, whatever the number of rules.

    `kinds` are the columns' Spark types, `known` the last good distributions. A column without one
    costs a second aggregate, once: its bins have to be chosen before its rows can be counted.
    """
    wanted = [rule for rule in rules if rule.metric not in COUNTED]
    if not wanted:
        return Measures()
    run, dialect, columns = _engine(rows)
    left_out = LEFT_OUT in columns
    simple = {
        rule.measure: measured(rule, kinds, dialect, left_out=left_out)
        for rule in wanted
        if rule.metric != "distributionShift"
    }
    shifting = {rule.columns[0]: rule for rule in wanted if rule.metric == "distributionShift"}
    bins = {column: known[column].cuts for column in shifting if column in known}
    unknown = {c: cuts(rule, kinds, dialect) for c, rule in shifting.items() if c not in bins}
    first = run({ROWS: "count(*)", **simple, **unknown, **_binned(bins, kinds, dialect)})
    chosen = {c: _usable(first[c], number=is_number(kinds[c])) for c in unknown}
    counted = first | (run(_binned(chosen, kinds, dialect)) if chosen else {})
    return Measures(
        int(first[ROWS]),
        {key: first[key] for key in simple},
        {
            column: Distribution(
                edges, [int(counted[f"{column}\0{place}"]) for place in range(len(edges) + 1)]
            )
            for column, edges in (bins | chosen).items()
        },
    )


def _binned(
    bins: Mapping[str, list[Any]], kinds: Mapping[str, str], dialect: Dialect
) -> dict[str, str]:
    return {
        f"{column}\0{place}": expression
        for column, edges in bins.items()
        for place, expression in enumerate(bin_counts(column, kinds[column], edges, dialect))
    }


def _usable(found: list[Any] | None, *, number: bool) -> list[Any]:
    """Return cuts in order, each once: a value that is very frequent is several quantiles."""
    given = [each for each in found or [] if each is not None]
    return sorted({float(each) for each in given}) if number else sorted({str(e) for e in given})


def _engine(rows: Any) -> tuple[Run, Dialect, list[str]]:
    if hasattr(rows, "sparkSession"):
        return lambda wanted: _by_spark(rows, wanted), SPARK, list(rows.columns)
    return lambda wanted: _by_duckdb(rows, wanted), DUCKDB, list(rows.column_names)


def _by_spark(rows: Any, wanted: dict[str, str]) -> dict[str, Any]:
    from pyspark.sql import functions as F

    found = rows.agg(*[F.expr(e).alias(f"m{i}") for i, e in enumerate(wanted.values())]).first()
    return dict(zip(wanted, found, strict=True))


def _by_duckdb(rows: Any, wanted: dict[str, str]) -> dict[str, Any]:
    with connection() as database:
        database.register("changed", rows)
        found = database.execute(f"select {', '.join(wanted.values())} from changed").fetchone()
    assert found is not None
    return dict(zip(wanted, found, strict=True))
