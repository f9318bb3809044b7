"""A small batch in silver: validated by Spark in one job, then written as Arrow.

A day's changes are few. Written by Spark, each of a dataset's tables costs some seconds of jobs
and commits whatever their number; as Arrow rows they cost milliseconds. What is written is the
same, row by row, as for a large batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from contracts.compilers import table_descriptions as describe
from contracts.compilers.vault_sql import events_columns
from contracts.sql import quoted
from lakehouse.quality.quarantine_rows import ROW_ID
from lakehouse.storage.append import append_arrow
from lakehouse.storage.table_log import Written
from lakehouse.storage.tables import TableName, Tables
from silver import cross_row_rules, dataset_rules, truncates
from silver.batch import Batch, Loaded
from silver.duplicates import OUTCOME, OUTCOMES, outcomes
from silver.gate import FORMER, GOOD, IDENTITY, UNCHANGED
from silver.quarantine import as_rows
from silver.unchanged_values import UNCHANGED_COLUMNS, fill
from silver.vault import LOCKS, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from contracts.compilers.table_descriptions import TableDescription
    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run

# About 250 bytes a row pass through the driver's memory.
ROWS = 500_000
GHOST = bytes(32)
ORDERED = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DATE")


def load(
    spark: SparkSession, batch: Batch, validated: DataFrame, stored: DataFrame | None
) -> Loaded:
    """Load the batch: a Spark job or two for the outcomes, an Arrow append a table with new rows.

    Whether a row is good is cheap to compute; why it is not, how it came and which of equal events
    is the first is not. So that is computed for those rows alone that it concerns.
    """
    contract = batch.contract
    decided = outcomes(validated, contract, stored, "none")
    rows = decided.select(*_wanted(batch), OUTCOME, GOOD, IDENTITY).toArrow()
    unclear = _unclear(rows)
    if unclear.num_rows:
        clear = pc.invert(pc.is_in(rows[IDENTITY], unclear[IDENTITY].combine_chunks()))
        those = F.broadcast(spark.createDataFrame(unclear))
        again = outcomes(validated.join(those, IDENTITY, "left_semi"), contract, stored, "anywhere")
        rows = pa.concat_tables(
            [rows.filter(clear), collected(again, batch)], promote_options="default"
        )
    return write_rows(spark, batch, decided, rows)


def _unclear(rows: pa.Table) -> pa.Table:
    """Return the identities of rejected rows, and those that several good rows have."""
    with duckdb.connect() as connection:
        connection.register("validated", rows.select([IDENTITY, GOOD, OUTCOME]))
        return connection.sql(
            f"select {IDENTITY} from validated group by {IDENTITY} "
            f"having count_if({GOOD}) > 1 or count_if({OUTCOME} = 'quarantined') > 0"
        ).to_arrow_table()


def collected(decided: DataFrame, batch: Batch) -> pa.Table:
    """Return rows with their outcomes and their reasons, as Arrow: one Spark job."""
    # The row as it came is wanted of few, so it is built for few.
    as_it_came = F.when(F.col(OUTCOME) == "quarantined", F.col("_row")).alias("_row")
    reasons = (OUTCOME, "_failures", "_source", ROW_ID)
    return decided.select(*_wanted(batch), *reasons, as_it_came).toArrow()


def _wanted(batch: Batch) -> list[str]:
    """Return the columns that are written of good rows, or decide where a row goes."""
    columns = [c for c in events_columns(batch.contract) if c != "_batch"]
    return list(
        dict.fromkeys(
            [*columns, *UNCHANGED_COLUMNS, *dataset_rules.columns(batch), FORMER, "_batch"]
        )
    )


def write_rows(spark: SparkSession, batch: Batch, decided: DataFrame, rows: pa.Table) -> Loaded:
    """Write a batch's rows, taken from `decided`, each to the table of its outcome."""
    columns = [c for c in events_columns(batch.contract) if c != "_batch"]
    formers = rows.filter(pc.and_(rows[FORMER], pc.equal(rows[OUTCOME], "valid")))
    rows = rows.filter(pc.invert(rows[FORMER]))
    by = {outcome: rows.filter(pc.equal(rows[OUTCOME], outcome)) for outcome in OUTCOMES}
    alive, bad = by["valid"].filter(pc.not_equal(by["valid"]["_op"], "d")), by["quarantined"]
    split = {outcome: part.num_rows for outcome, part in by.items()}
    audit = dataset_rules.enforce(
        batch, alive, split, lambda: dataset_rules.reasons_in(bad) if bad.num_rows else []
    )
    load_members(batch, by["valid"])
    rejected = Written(-1, 0, 0)
    bad = bad.filter(pc.greater(bad["_batch"], batch.rejected_until))
    if bad.num_rows:
        rejected = append_arrow(
            batch.tables,
            batch.quarantine,
            as_rows(batch, bad),
            idempotency_key=batch.bookmark,
            skip_on=("_batch",),
            described=describe.quarantine(batch.contract),
        )
    # Last, since this commit also carries the bookmark of bronze.
    events = with_unchanged_values(spark, batch, by["valid"].select([*columns, *UNCHANGED_COLUMNS]))
    closed = truncates.deletes(spark, batch, decided, came=by["truncate"].num_rows > 0)
    ends = None if closed is None else closed.toArrow()
    if formers.num_rows:
        numbers = _constant(batch.run.number, pa.int64(), formers.num_rows)
        ends = formers.select(columns).append_column("_batch", numbers)
    if ends is not None:
        events = pa.concat_tables([events, ends], promote_options="permissive")
    warnings = cross_row_rules.enforce(spark, batch, events)
    written = Written(-1, 0, 0)
    if events.num_rows or batch.bookmark:
        written = append_arrow(
            batch.tables,
            batch.events,
            events,
            idempotency_key=batch.bookmark,
            skip_on=batch.skip_on,
            described=describe.events(batch.contract),
        )
    return Loaded(
        split,
        written,
        rejected,
        0 if ends is None else ends.num_rows,
        by["quarantined"].num_rows - bad.num_rows,
        audit,
        warnings,
    )


def load_members(batch: Batch, valid: pa.Table) -> None:
    """Add to hubs and link what they lack of a batch's good rows."""
    assert batch.contract.vault is not None
    with duckdb.connect() as connection:
        connection.register("valid", valid)
        _hubs(connection, batch.tables, batch.contract, batch.run)
        if batch.contract.vault.link and batch.contract.vault.historized:
            _link(connection, batch.tables, batch.contract, batch.run)


def with_unchanged_values(
    spark: SparkSession, batch: Batch, events: pa.Table, *, repair: bool = True
) -> pa.Table:
    """Return the events with their batch, and with their unchanged values filled."""
    assert batch.contract.vault is not None
    key = f"{batch.contract.vault.parent}_hk"
    numbers = _constant(batch.run.number, pa.int64(), events.num_rows)
    events = events.append_column("_batch", numbers)
    lacking = pc.is_valid(events[UNCHANGED])

    def of_keys(keys: pa.Table) -> pa.Table:
        return events.filter(pc.is_in(events[key], keys[key].combine_chunks()))

    filled = fill(spark, batch, events.filter(lacking), of_keys, repair=repair)
    if filled is None:
        return events.drop_columns(list(UNCHANGED_COLUMNS))
    return pa.concat_tables([events.filter(pc.invert(lacking)), filled])


def _constant(value: Any, kind: pa.DataType, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), length)


def _hubs(
    connection: duckdb.DuckDBPyConnection, tables: Tables, contract: Contract, run: Run
) -> None:
    assert contract.vault is not None
    for hub in contract.vault.hubs:
        key = f"{hub.name}_hk"
        pairs = zip(hub.columns, hub.members, strict=True)
        keys = ", ".join(f"{quoted(column)} as {quoted(member)}" for column, member in pairs)
        given = " and ".join(f"{quoted(column)} is not null" for column in hub.columns)
        members = f"select distinct {key}, {keys} from valid where {given}"
        name = TableName.of("silver", run.domain, f"hub_{hub.name}")
        with LOCKS[name]:
            if tables.is_empty(name):
                nulls = ", ".join(f"null as {quoted(column)}" for column in hub.members)
                members += f" union all select '{_escaped(GHOST)}'::blob as {key}, {nulls}"
            described = describe.hub(contract, hub)
            _insert(connection, tables, name, members, (key,), hub.members, run, described)


def _link(
    connection: duckdb.DuckDBPyConnection, tables: Tables, contract: Contract, run: Run
) -> None:
    assert contract.vault is not None
    keys = (f"{contract.vault.link}_hk", *[f"{hub.name}_hk" for hub in contract.vault.hubs])
    columns = ", ".join(quoted(column) for column in (*keys, *contract.vault.dependent))
    members = f"select distinct {columns} from valid where _op <> 'd'"
    name = TableName.of("silver", run.domain, f"lnk_{contract.vault.link}")
    with LOCKS[name]:
        within = contract.vault.dependent
        _insert(connection, tables, name, members, keys, within, run, describe.link(contract))


def _insert(
    connection: duckdb.DuckDBPyConnection,
    tables: Tables,
    name: TableName,
    members: str,
    keys: tuple[str, ...],
    within: Sequence[str],
    run: Run,
    described: TableDescription,
) -> None:
    """Append the members that the table lacks, in one commit; none where it has them all.

    Only stored files are read that may have values of the columns `within` as members have.
    """
    table = tables.open(name)
    if table is not None:
        bounds = _bounds(connection, members, within)
        connection.register("stored", table.scan(columns=list(keys), predicate=bounds))
        on = ", ".join(keys)
        members = f"select * from ({members}) anti join stored using ({on})"
    batch = f"cast({run.number} as bigint) as _batch"
    rows: pa.Table = connection.sql(f"select *, {batch} from ({members})").to_arrow_table()
    if rows.num_rows:
        skip_on = ("_batch", *within)
        written = append_arrow(tables, name, rows, skip_on=skip_on, described=described)
        record(run, name, written)


def _bounds(
    connection: duckdb.DuckDBPyConnection, members: str, within: Sequence[str]
) -> str | None:
    """Return a condition that is true of all stored rows that are like one of the members.

    Only whole numbers and days bound: equal keys may come from texts that differ.
    """
    rows = connection.sql(f"select * from ({members})")
    kinds = dict(zip(rows.columns, map(str, rows.types), strict=True))
    bounds = []
    for column in within:
        if kinds[column] not in ORDERED:
            continue
        range_ = f"min({quoted(column)}), max({quoted(column)}), bool_or({quoted(column)} is null)"
        low, high, nulls = connection.sql(f"select {range_} from ({members})").fetchall()[0]
        if low is not None and not nulls:
            mark = "'" if kinds[column] == "DATE" else ""
            bounds.append(f"{quoted(column)} between {mark}{low}{mark} and {mark}{high}{mark}")
    return " and ".join(bounds) or None


def _escaped(value: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in value)
