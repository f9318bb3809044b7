"""A truncate empties a table: for each key that was there before it, that is a delete.

Which keys those are may only be known later, when events arrive that are older than the truncate.
So truncates are stored in a table of their own, and each load closes what they have not closed yet.
For a dataset without a key, `contracts.compilers.keyless_sql` counts copies down to none instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from contracts.compilers import hash_keys
from contracts.compilers.vault_sql import events_columns
from lakehouse.storage.tables import TableName
from silver.duplicates import OUTCOME

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from silver.batch import Batch

COLUMNS = ("_sequence", "_source_ts", "_origin")


def deletes(
    spark: SparkSession, batch: Batch, decided: DataFrame, *, came: bool
) -> DataFrame | None:
    """Return the deletes that a batch's events and truncates call for, as rows of the events table.

    `came` is whether the batch has a truncate: then the keys of stored events are closed, too.
    None where the table has had no truncate, and for rows without a key: there a truncate is
    an event like others.
    """
    contract, tables = batch.contract, batch.tables
    if contract.keyless:
        return None
    if came:
        _store(batch, decided)
    name = _table(batch)
    if not tables.exists(name):
        return None
    keys = contract.keys
    truncates = spark.read.format("delta").load(tables.path(name)).select(*COLUMNS)
    seen = decided.where(F.col(OUTCOME) == "valid").select(*keys, "_sequence")
    stored = None
    if tables.exists(batch.events):
        stored = spark.read.format("delta").load(tables.path(batch.events))
        stored = stored.select(*keys, "_sequence")
        seen = seen.unionByName(stored) if came else seen
    first = seen.groupBy(*keys).agg(F.min("_sequence").alias("_first"))
    closed = first.crossJoin(F.broadcast(truncates)).where("_first < _sequence")
    if stored is not None:
        closed = closed.join(stored, [*keys, "_sequence"], how="left_anti")
    return _as_events(batch, closed)


def deletes_of_keys(spark: SparkSession, batch: Batch, valid: DataFrame) -> DataFrame | None:
    """Return the deletes that truncates call for among all good events of some keys."""
    name, keys = _table(batch), batch.contract.keys
    if not batch.tables.exists(name):
        return None
    truncates = spark.read.format("delta").load(batch.tables.path(name)).select(*COLUMNS)
    seen = valid.select(*keys, "_sequence")
    first = seen.groupBy(*keys).agg(F.min("_sequence").alias("_first"))
    closed = first.crossJoin(F.broadcast(truncates)).where("_first < _sequence")
    return _as_events(batch, closed.join(seen, [*keys, "_sequence"], how="left_anti"))


def _table(batch: Batch) -> TableName:
    return TableName("silver", f"{batch.events.table}_truncates")


def _store(batch: Batch, decided: DataFrame) -> None:
    """Store the batch's truncates, each once. Read again after a crash, they change nothing."""
    truncates = decided.where(F.col(OUTCOME) == "truncate").select(*COLUMNS).toArrow()
    tables, name = batch.tables, _table(batch)
    stored = {row["_sequence"] for row in tables.rows(name, ["_sequence"])}
    places = truncates["_sequence"].to_pylist()
    new = [i for i, place in enumerate(places) if place not in stored and place not in places[:i]]
    if new:
        tables.append(name, truncates.take(new), skip_on=("_sequence",))


def _as_events(batch: Batch, closed: DataFrame) -> DataFrame:
    contract = batch.contract
    rest = [
        F.lit(None).cast(column.type).alias(column.name)
        for column in contract.columns
        if not column.key
    ]
    hashes = hash_keys.parent_key(contract) | hash_keys.hub_keys(contract)
    rows = closed.select(*contract.keys, *rest, *COLUMNS).withColumns(
        {key: F.expr(expression) for key, expression in hashes.items()}
        | {
            "_hashdiff": F.expr(hash_keys.hashdiff(contract)),
            "_op": F.lit("d"),
            "_flags": F.lit(None).cast("array<string>"),
            "_batch": F.lit(batch.run.number).cast("bigint"),
        }
    )
    columns: list[Column] = [F.col(column) for column in events_columns(contract)]
    return rows.select(*columns)
