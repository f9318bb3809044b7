"""Metrics of a column's values: their sum, the age of the newest, their distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.metrics.metric import Metric
from contracts.model.dataset_rule import SPANS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model.dataset_rule import DatasetRule

UNBINNED = ("date", "timestamp", "binary", "array", "map", "struct")


def _freshness_problem(rule: DatasetRule, types: Mapping[str, str]) -> str:
    if rule.unit in SPANS and types[rule.columns[0]] in ("timestamp", "date"):
        return ""
    return f"freshness needs a timestamp or date and a unit, one of {', '.join(SPANS)}"


def _shift_problem(rule: DatasetRule, types: Mapping[str, str]) -> str:
    if rule.history is not None:
        return "distributionShift compares with the last good version already"
    kind = types[rule.columns[0]]
    return (
        f"distributionShift takes numbers and texts, no {kind}" if kind.startswith(UNBINNED) else ""
    )


METRICS = (
    Metric("sum", "one", lambda given: f"cast(coalesce(sum({given.column}), 0) as double)"),
    Metric(
        "freshness",
        "one",
        lambda given: given.dialect.micros.format(given.column),
        kind="instant",
        problem=_freshness_problem,
    ),
    Metric("distributionShift", "one", kind="distribution", problem=_shift_problem),
)
