"""From bronze rows to events: pure transforms of DataFrames, no reading, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from contracts.compilers import gate
from lakehouse.engine.python_checks import with_python_checks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from contracts.model.contract import Contract
    from platinum.scoring.columns import ScoreColumns


def event_rows(rows: DataFrame, contract: Contract, columns: ScoreColumns) -> DataFrame:
    """Return the rows of the scored operations, cleansed, with `_good`: whether they can be scored.

    Only the rules of the needed columns count: a wrong price does not keep an event from its
    offer. What else is wrong with a row is silver's to quarantine.
    """
    narrow = contract.narrowed(columns.of_event)
    selected = [F.expr(gate.cleansed(column)).alias(column.name) for column in narrow.columns]
    cleansed = rows.where(F.col("_op").isin(*columns.operations)).select(
        *selected, "_op", "_rescued", "_sequence", "_ingested_at"
    )
    cleansed = with_python_checks(cleansed, narrow)
    complete = F.lit(True)
    for name in columns.of_event:
        complete = complete & F.col(name).isNotNull()
    good = complete & F.expr(gate.good(narrow))
    return cleansed.select(*columns.of_event, "_sequence", "_ingested_at", good.alias("_good"))


def group_events(rows: DataFrame, columns: ScoreColumns) -> DataFrame:
    """Return one row an event: entity and time by its first good row, and when its last had landed.

    `_lines` and `_bad` count the rows; an event without a good row has no entity.
    """
    first = ", ".join(f"`{name}`" for name in (*columns.entity, columns.timestamp))
    return (
        rows.groupBy(columns.key)
        .agg(
            F.expr(f"min_by(struct({first}), _sequence) filter (where _good)").alias("_first"),
            F.max("_ingested_at").alias("ingested_at"),
            F.count(F.lit(1)).alias("_lines"),
            F.count_if(~F.col("_good")).alias("_bad"),
        )
        .select(
            columns.key,
            *[F.col(f"_first.{name}").alias(name) for name in columns.entity],
            F.col(f"_first.{columns.timestamp}").alias("event_time"),
            "ingested_at", "_lines", "_bad",
        )
    )  # fmt: skip
