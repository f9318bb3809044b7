"""Metrics that a run counts itself: rejected rows, and rows that a control file announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.metrics.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model.dataset_rule import DatasetRule


def _reconciliation_problem(rule: DatasetRule, _types: Mapping[str, str]) -> str:
    if rule.control:
        return ""
    return "reconciliation needs control, the path of the file that states a count"


METRICS = (
    Metric("badRows", "none", kind="run"),
    Metric("reconciliation", "none", kind="run", problem=_reconciliation_problem),
)
