"""The registry of the metrics that dataset rules may name: `METRICS`.

A metric is one file here and one line below; `docs/extend.md` has an example. The parser accepts
what is registered, and `lakehouse.quality.dataset_audit` measures it with either engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.metrics import counts, run_counts, values

if TYPE_CHECKING:
    from contracts.metrics.metric import Metric

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        counts.ROW_COUNT,
        counts.NULL_VALUES,
        counts.MISSING_VALUES,
        counts.DUPLICATE_VALUES,
        counts.DISTINCT_VALUES,
        values.SUM,
        values.FRESHNESS,
        values.DISTRIBUTION_SHIFT,
        run_counts.BAD_ROWS,
        run_counts.RECONCILIATION,
    )
}
