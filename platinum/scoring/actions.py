"""What is done with scores: rank of an event's candidates, action for the best, latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame

    from platinum.scoring.columns import ScoreColumns


def with_actions(
    scored: DataFrame, columns: ScoreColumns, actions: Mapping[str, Any], threshold: float
) -> DataFrame:
    """Return the scored candidates with latency, rank within the event and action.

    Only an event's best candidate may get the action `best`; equal scores rank by candidate.
    """
    order = Window.partitionBy(columns.key).orderBy(F.desc("score"), *columns.candidate)
    is_best = (F.col("rank") == 1) & (F.col("score") >= threshold)
    latency = (F.unix_micros("scored_at") - F.unix_micros("ingested_at")) / 1000
    return (
        scored.withColumn("latency_ms", latency.cast("bigint"))
        .withColumn("rank", F.row_number().over(order))
        .withColumn("action", F.when(is_best, actions["best"]).otherwise(actions["otherwise"]))
    )
