"""Metrics that count rows or values: those of ODCS, and distinct values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.metrics.metric import Metric

if TYPE_CHECKING:
    from contracts.metrics.metric import MetricInput


def _missing(given: MetricInput) -> str:
    condition = given.is_null
    if given.rule.values:
        listed = ", ".join(given.dialect.text(str(value)) for value in given.rule.values)
        condition += f" or cast({given.column} as {given.dialect.text_type}) in ({listed})"
    return given.count_where(condition)


def _duplicates(given: MetricInput) -> str:
    row = given.dialect.row.format(", ".join(given.columns))
    return f"count(*) - count(distinct {row})"


METRICS = (
    Metric("rowCount", "none", lambda _given: "count(*)", standard=True),
    Metric("nullValues", "one", lambda given: given.count_where(given.is_null), standard=True),
    Metric("missingValues", "one", _missing, standard=True),
    Metric("duplicateValues", "some", _duplicates, standard=True),
    Metric("distinctValues", "one", lambda given: f"count(distinct {given.column})"),
)
