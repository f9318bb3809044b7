"""Rebuilds a slice of the events from bronze, through the gate as it is now.

A slice is rebuilt by its keys: all that have a row in the slice, in bronze or as stored, each with all
its events. So a row that was moved into the slice or out of it is rebuilt, and so is a delete,
which may carry its key alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import functions as F

from contracts.compilers.vault_sql import events_columns
from contracts.sql import quoted
from lakehouse.engine.duckdb import connection
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.quality.quarantine_rows import ROW_ID
from lakehouse.runs.ledger import Step
from lakehouse.storage.append import append_arrow
from lakehouse.storage.merge import DELETED, Merge
from lakehouse.storage.table_log import written_between
from silver import truncates
from silver.duplicates import OUTCOME, outcomes
from silver.gate import validated
from silver.quarantine import as_rows
from silver.small_batch import ROWS, load_members, with_unchanged_values
from silver.unchanged_values import UNCHANGED_COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import DataFrame, SparkSession

    from silver.batch import Batch


@dataclass(frozen=True)
class RebuiltSlice:
    """A slice as it should be: its events, those stored that should not be, and what differs."""

    events: pa.Table
    stale: pa.Table
    rejected: pa.Table
    valid: pa.Table
    stored: int
    added: int
    changed: int

    @property
    def removed(self) -> int:
        """Return how many stored rows no bronze row leads to."""
        return self.stale.num_rows

    @property
    def only_adds(self) -> bool:
        """Return whether rows are only added, so that readers of new rows see all of it."""
        return not (self.changed or self.removed)


def derive(spark: SparkSession, batch: Batch, where: str, *, repair: bool = False) -> RebuiltSlice:
    """Return a slice as bronze gives it; nothing is written without `repair`.

    Raises:
        UsageError: the condition is none for this table, or the slice is too large for memory.
    """
    contract = batch.contract
    if contract.keyless:
        raise UsageError(
            f"{batch.events} has no primary key, so a slice of it has no end: leave --where out to "
            "load all of it again"
        )
    bronze = spark.read.format("delta").load(batch.tables.path(batch.bronze))
    rows = validated(bronze.where(F.col("_batch") <= batch.consumed), contract)
    keys = _keys(spark, batch, rows, where)
    of_slice = outcomes(
        rows.join(keys, list(contract.keys), how="left_semi"), contract, None, "anywhere"
    )
    columns = [column for column in events_columns(contract) if column != "_batch"]
    wanted = dict.fromkeys(
        [*columns, *UNCHANGED_COLUMNS, OUTCOME, "_failures", "_row", "_source", "_batch", ROW_ID]
    )
    rebuilt = of_slice.select(*wanted).limit(ROWS + 1).toArrow()
    if rebuilt.num_rows > ROWS:
        raise UsageError(
            f"{batch.events}: the slice has more than {ROWS:,} rows: take a narrower one, or leave "
            "--where out to load all of the table again"
        )
    valid = rebuilt.filter(pc.equal(rebuilt[OUTCOME], "valid"))
    events = with_unchanged_values(
        spark, batch, valid.select([*columns, *UNCHANGED_COLUMNS]), repair=repair
    )
    ends = truncates.deletes_of_keys(spark, batch, of_slice.where(F.col(OUTCOME) == "valid"))
    if ends is not None:
        events = pa.concat_tables([events, ends.toArrow()], promote_options="permissive")
    rejected = rebuilt.filter(pc.equal(rebuilt[OUTCOME], "quarantined"))
    return _compared(batch, events, keys.toArrow(), rejected, valid)


def _keys(spark: SparkSession, batch: Batch, rows: DataFrame, where: str) -> DataFrame:
    """Return the keys with a row in the slice, as it comes from bronze or as it is stored."""
    keys, stored = (
        batch.contract.keys,
        spark.read.format("delta").load(batch.tables.path(batch.events)),
    )
    try:
        chosen = [frame.where(where).select(*keys) for frame in (rows, stored)]
    except (AnalysisException, ParseException) as error:
        first = str(error).partition(";\n'")[0].partition("\n\nJVM")[0].strip()
        raise UsageError(f"--where is no condition on {batch.events}: {first}") from None
    return chosen[0].unionByName(chosen[1]).dropna().distinct()


def _compared(
    batch: Batch, events: pa.Table, keys: pa.Table, rejected: pa.Table, valid: pa.Table
) -> RebuiltSlice:
    table = batch.tables.open(batch.events)
    assert table is not None
    assert batch.contract.vault is not None
    identity = (f"{batch.contract.vault.parent}_hk", "_sequence")
    with connection() as database:
        database.register("stored_rows", table.scan())
        database.register("keys", keys)
        on = ", ".join(quoted(key) for key in batch.contract.keys)
        stored = database.sql(f"select s.* from stored_rows s semi join keys using ({on})")
        old = _in_columns_of(events, stored.to_arrow_table())
        database.register("stored", old)
        database.register("events", events)
        if _count(database, f"stored group by {', '.join(identity)} having count(*) > 1"):
            raise LakehouseError(
                f"{batch.events} has events of the slice twice: leave --where out to load all of it again"
            )
        same_event = " and ".join(f"s.{quoted(c)} = e.{quoted(c)}" for c in identity)
        differs = " or ".join(
            f"s.{quoted(column)} is distinct from e.{quoted(column)}"
            for column in events.column_names
            if column not in (*identity, "_batch")
        )
        return RebuiltSlice(
            events=events,
            stale=database.sql(f"select * from stored s anti join events e on {same_event}")
            .to_arrow_table()
            .cast(events.schema),
            rejected=rejected,
            valid=valid,
            stored=old.num_rows,
            added=_count(database, f"events e anti join stored s on {same_event}"),
            changed=_count(database, f"events e join stored s on {same_event} where {differs}"),
        )


def _in_columns_of(wanted: pa.Table, rows: pa.Table) -> pa.Table:
    for field in wanted.schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field.name, pa.nulls(rows.num_rows, field.type))
    return rows.select(wanted.column_names).cast(wanted.schema)


def _count(database: DuckDBPyConnection, rest: str) -> int:
    return database.sql(f"select count(*) from (select 1 from {rest})").fetchall()[0][0]


def write(batch: Batch, rebuilt: RebuiltSlice) -> Step:
    """Put the slice in place in one commit, all its rows as of this run; return the step.

    The rows of the slice are new to readers of the table by `_batch`, changed or not.
    """
    tables, name, run = batch.tables, batch.events, batch.run
    load_members(batch, rebuilt.valid)
    rejected = _new_rejects(batch, rebuilt.rejected)
    if rejected.num_rows:
        append_arrow(tables, batch.quarantine, as_rows(batch, rejected), skip_on=("_batch",))
    before = tables.version(name)
    table = tables.open(name)
    assert table is not None
    assert batch.contract.vault is not None
    if set(rebuilt.events.column_names) - {field.name for field in table.schema().fields}:
        tables.append(name, rebuilt.events.slice(0, 0))  # the columns that it lacks
    flags = [(rebuilt.events, False), (rebuilt.stale, True)]
    changes = pa.concat_tables(
        rows.append_column(DELETED, pa.array([gone] * rows.num_rows, pa.bool_()))
        for rows, gone in flags
    )
    if changes.num_rows:
        table = tables.open(name)
        assert table is not None
        key = [f"{batch.contract.vault.parent}_hk", "_sequence"]
        Merge(rebuilt.events.column_names, key).commit(table, changes)
    written = written_between(tables, name, before, tables.version(name))
    return run.record(
        Step(
            run.number, run.domain, "silver", str(name),
            written=written.rows, bytes=written.bytes, upstream=str(batch.bronze),
            version_from=batch.consumed, version_to=batch.consumed,
            contract_version=batch.contract.version, message=difference(rebuilt),
        )
    )  # fmt: skip


def difference(rebuilt: RebuiltSlice) -> str:
    """Return a message of what differs between a slice as stored and as bronze gives it."""
    return (
        f"{rebuilt.stored:,} rows stored: {rebuilt.added:,} added, {rebuilt.changed:,} changed, "
        f"{rebuilt.removed:,} removed"
    )


def _new_rejects(batch: Batch, rejected: pa.Table) -> pa.Table:
    """Return the rejected rows that are not in quarantine yet."""
    table = batch.tables.open(batch.quarantine)
    stored = set()
    if table is not None and ROW_ID in {field.name for field in table.schema().fields}:
        stored = {row[ROW_ID] for row in batch.tables.rows(batch.quarantine, [ROW_ID])}
    ids = [
        batch.seal.fingerprint(value) if batch.seal else value
        for value in rejected[ROW_ID].to_pylist()
    ]
    return rejected.filter(pa.array([value not in stored for value in ids], pa.bool_()))
