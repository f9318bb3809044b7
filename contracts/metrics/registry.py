"""The registry of dataset metrics: the parser accepts and the audit measures what is found here.

A new metric is an entry in `METRICS` of one of the files, or a file of its own with a line below.
It is measured, by either engine, in `lakehouse.quality.dataset_audit`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.metrics.metric import Metric

MODULES = (
    "contracts.metrics.counts",
    "contracts.metrics.values",
    "contracts.metrics.run_counts",
)


def metrics_of(modules: Iterable[str]) -> dict[str, Metric]:
    """Return the metrics of modules by name: what each has as `METRICS`."""
    metrics: Iterable[Metric] = (
        metric for name in modules for metric in import_module(name).METRICS
    )
    return {metric.name: metric for metric in metrics}


METRICS = metrics_of(MODULES)
