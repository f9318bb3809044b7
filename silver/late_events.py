"""Late events: those whose position is not after every position that is stored.

A late event is stored under its key and position as any other, and current rows and histories are
views that order events by position, so it takes the place that it would have had in time. Beyond
that, stored events from its position on may duplicate it (`silver/duplicates.py`), may have
unchanged values that it brings (`silver/unchanged_values.py`), and a truncate after it deletes its
key (`silver/truncates.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.storage.table_log import file_statistics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.storage.tables import TableName, Tables
    from silver.batch import Batch


def stored_from(spark: SparkSession, batch: Batch, first: str | None) -> DataFrame | None:
    """Return the stored events that a batch may duplicate, None where it has no late event.

    `first` is the least of its positions, None where that is not known: then all may be late.
    """
    newest = newest_position(batch.tables, batch.events)
    if newest is None or (first is not None and newest < first):
        return None
    assert batch.contract.vault is not None
    columns = [f"{batch.contract.vault.parent}_hk", "_sequence", "_op", "_hashdiff"]
    stored = spark.read.format("delta").load(batch.tables.path(batch.events))
    if first is not None:
        stored = stored.where(F.col("_sequence") >= first)
    return stored.select(*columns)


def newest_position(tables: Tables, events: TableName) -> str | None:
    """Return the greatest position of an events table, None where it is empty."""
    positions = [
        file["max._sequence"]
        for file in file_statistics(tables.open(events))
        if file.get("max._sequence") is not None
    ]
    return max(positions, default=None)
