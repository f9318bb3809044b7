"""Unchanged (TOAST) values, which a change does not carry: filled from the events before it.

A source omits a large value from an update that does not touch it. The value is that of the
row's event before in the source's order; a row whose key was changed goes on under its new key.
Events come in any order, so a late event may bring a value, or another than was filled at first:
each load fills its own rows, and repairs those of earlier loads that its events come before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from contracts.compilers import hash_keys
from lakehouse.engine.duckdb import connection
from lakehouse.storage.merge import DELETED, Merge
from silver.gate import UNCHANGED
from silver.key_changes import MOVED_FROM, keys_of_one_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deltalake import DeltaTable
    from pyspark.sql import SparkSession

    from silver.batch import Batch

UNCHANGED_COLUMNS = (UNCHANGED, MOVED_FROM)
Place = tuple[bytes, str]


@dataclass(frozen=True)
class Event:
    """One event: which columns it left unchanged, and its values of all columns that any event did."""

    op: str
    unchanged: frozenset[str]
    moved_from: bytes | None
    values: dict[str, Any]


class Log:
    """The events of some rows, by key and in the source's order."""

    def __init__(self, rows: Iterable[dict[str, Any]], key: str, columns: Iterable[str]) -> None:
        self.events: dict[Place, Event] = {}
        for row in rows:
            event = Event(
                row["_op"],
                frozenset(row[UNCHANGED] or ()),
                row[MOVED_FROM],
                {column: row[column] for column in columns},
            )
            self.events[row[key], row["_sequence"]] = event
        self.places: dict[bytes, list[str]] = defaultdict(list)
        for place, sequence in sorted(self.events):
            self.places[place].append(sequence)

    def value(self, place: Place, column: str) -> Any:
        """Return the value of a column at an event, null where no event before it has one."""
        seen = set()
        while place not in seen:
            seen.add(place)
            event = self.events[place]
            if event.op != "d" and column not in event.unchanged:
                return event.values[column]
            key = event.moved_from or place[0]
            at = bisect_left(self.places[key], place[1])
            if at == 0:
                return None
            place = (key, self.places[key][at - 1])
        return None


def fill(
    spark: SparkSession,
    batch: Batch,
    lacking: pa.Table,
    of_keys: Callable[[pa.Table], pa.Table],
    *,
    repair: bool = True,
) -> pa.Table | None:
    """Return a batch's rows with unchanged values, filled; repair stored ones. None for no rows.

    `lacking` are the batch's valid rows with an unchanged column; `of_keys` returns the batch's
    valid rows of the keys in a table of one column. Without `repair` nothing is written.
    """
    assert batch.contract.vault is not None
    key = f"{batch.contract.vault.parent}_hk"
    table = batch.tables.open(batch.events)
    stored = None if table is None or not has_any(table) else _stored(table, key)
    rows = [
        *lacking.select([key, *UNCHANGED_COLUMNS]).to_pylist(),
        *(stored.to_pylist() if stored else []),
    ]
    if not rows:
        return None
    groups = keys_of_one_row((row[key], row[MOVED_FROM]) for row in rows)
    came = of_keys(pa.table({key: pa.array(sorted(groups), lacking.schema.field(key).type)}))
    touched = {groups[value] for value in came[key].to_pylist()}
    keys = pa.table(
        {key: pa.array([k for k in sorted(groups) if groups[k] in touched], came[key].type)}
    )
    columns = sorted({name for row in rows for name in row[UNCHANGED] or ()})
    before = came.schema.empty_table() if table is None else _events(table, key, keys, came.schema)
    log = Log([*before.to_pylist(), *came.to_pylist()], key, columns)
    filled = _filled(log, came, key)
    repaired = _filled(log, before, key, only_changed=True)
    if repair and table is not None and repaired.num_rows:
        _repair(spark, batch, table, key, repaired)
    return _hashed(spark, batch, filled) if filled.num_rows else None


def has_any(table: DeltaTable) -> bool:
    """Return whether any stored event had an unchanged value."""
    return UNCHANGED in {field.name for field in table.schema().fields}


def _stored(table: DeltaTable, key: str) -> pa.Table:
    return pa.table(
        table.scan(columns=[key, *UNCHANGED_COLUMNS], predicate=f"{UNCHANGED} is not null")
    )


def _events(table: DeltaTable, key: str, keys: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return all stored events of some keys, in the columns of the batch's."""
    with connection() as database:
        database.register("stored", table.scan())
        database.register("keys", keys)
        query = f"select s.* from stored s semi join keys using ({key})"
        rows = database.sql(query).to_arrow_table()
    missing = [field for field in schema if field.name not in rows.column_names]
    for field in missing:
        rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(schema.names).cast(schema)


def _filled(log: Log, rows: pa.Table, key: str, *, only_changed: bool = False) -> pa.Table:
    """Return the rows with unchanged values, with the values that the log gives for them."""
    filled = []
    for row in rows.to_pylist():
        values = {
            column: log.value((row[key], row["_sequence"]), column)
            for column in row[UNCHANGED] or ()
        }
        if values and not (only_changed and all(row[c] == v for c, v in values.items())):
            filled.append(row | values)
    return pa.Table.from_pylist(filled, schema=rows.schema)


def _hashed(spark: SparkSession, batch: Batch, rows: pa.Table) -> pa.Table:
    hashed = spark.createDataFrame(rows).withColumn(
        "_hashdiff", F.expr(hash_keys.hashdiff(batch.contract))
    )
    return hashed.toArrow().select(rows.column_names).cast(rows.schema)


def _repair(spark: SparkSession, batch: Batch, table: DeltaTable, key: str, rows: pa.Table) -> None:
    """Write repaired rows, before the batch's own: a batch that dies in between does both again."""
    at = rows.column_names.index("_batch")
    batches = pa.array([batch.run.number] * rows.num_rows, pa.int64())
    rows = _hashed(spark, batch, rows.set_column(at, "_batch", batches))
    derived = rows.append_column(DELETED, pa.array([False] * rows.num_rows))
    stored = [field.name for field in table.schema().fields]
    Merge(
        [c for c in rows.column_names if c in stored], [key, "_sequence"], ignored=["_batch"]
    ).into(table, derived.select([*[c for c in rows.column_names if c in stored], DELETED]))
