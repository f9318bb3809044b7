"""Replays quarantined rows: gated again, as the contract is now, and loaded as if they had just come.

The rows come from bronze, found by their identity, and are loaded by the code of every small batch;
the order of events is the source's, so coming late changes nothing. The events are committed first
and the quarantine is told last: killed in between, a second replay finds the events there already.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from lakehouse.engine.duckdb import connection
from lakehouse.errors import UsageError
from lakehouse.quality.quarantine_rows import FAILURES, OPEN, ROW_ID
from lakehouse.runs.ledger import Step
from silver.batch import Batch
from silver.duplicates import OUTCOME, outcomes
from silver.gate import FORMER, identified, validated
from silver.load import reconcile, stored_events
from silver.pending import PendingRows
from silver.quarantine import record_outcomes
from silver.small_batch import ROWS, collected, write_rows
from silver.type_widening import follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.runs.ledger import Run

OPENED = (ROW_ID, "_bronze_batch", "_sequence", "contract_version", "failures")


class Replay(Batch):
    """Rows of batches that were consumed long ago: their commits say nothing of how far bronze is."""

    @property
    def bookmark(self) -> None:
        """Return nothing: what is stored already is found by key and position."""
        return

    @property
    def rejected_until(self) -> int:
        """Return the newest batch: whatever fails again is in quarantine already."""
        return self.newest


@dataclass(frozen=True)
class Revalidated:
    """Some open rows of the quarantine, as the gate judges them now.

    `settled` are those that go through or repeat what is there, `changed` those that fail with
    other reasons, or under another version, than before; `missing` rows are not in bronze.
    """

    batch: Batch
    decided: DataFrame
    rows: pa.Table
    open: int
    resolved: pa.Table
    changed: pa.Table
    valid: int
    missing: int

    @property
    def still_open(self) -> int:
        """Return how many rows stay in quarantine."""
        return self.open - self.resolved.num_rows

    @property
    def has_changes(self) -> bool:
        """Return whether anything would be written."""
        return bool(self.resolved.num_rows or self.changed.num_rows)


def open_rows(batch: Batch, where: str = "") -> Iterator[pa.Table]:
    """Yield the open rows of a dataset's quarantine, so many at a time as memory holds.

    `where` is a condition on the columns of the quarantine, in DuckDB's SQL.

    Raises:
        UsageError: the condition is none.
    """
    import duckdb

    table = batch.tables.open(batch.quarantine)
    if table is None or ROW_ID not in {field.name for field in table.schema().fields}:
        return
    last = ("", -1)
    while True:
        with connection() as database:
            database.register("quarantined", table.scan(predicate=f"status = '{OPEN}'"))
            database.execute("set enable_external_access = false")
            query = f"""
                select {", ".join(OPENED)} from (
                    from quarantined where {where or "true"}
                )
                where (_bronze_batch, {ROW_ID}) > ($2, $1) and _bronze_batch <= $3
                order by _bronze_batch, {ROW_ID} limit {ROWS}
            """
            try:
                found: pa.Table = database.sql(query, params=[*last, batch.newest]).to_arrow_table()
            except duckdb.Error as error:
                first = str(error).splitlines()[0]
                raise UsageError(
                    f"--where is no condition on {batch.quarantine}: {first}"
                ) from None
        if not found.num_rows:
            return
        yield found
        last = (found[ROW_ID][-1].as_py(), found["_bronze_batch"][-1].as_py())


def revalidate(spark: SparkSession, batch: Batch, found: pa.Table) -> Revalidated:
    """Return open rows as the gate judges them now; nothing is written."""
    contract = batch.contract
    bronze = spark.read.format("delta").load(batch.tables.path(batch.bronze))
    batches = pc.unique(found["_bronze_batch"]).to_pylist()
    bronze = bronze.where(F.col("_batch").isin(batches))
    first = None
    if not found["_sequence"].null_count:
        limits = pc.min_max(found["_sequence"]).as_py()
        first = limits["min"]
        bronze = bronze.where(F.col("_sequence").between(first, limits["max"]))
    bronze, names = _chosen(spark, batch, identified(bronze), found)
    decided = outcomes(
        validated(bronze, contract), contract, stored_events(spark, batch, first), "anywhere"
    )
    rows = collected(decided, batch)
    own = rows.filter(pc.invert(rows[FORMER]))
    outcome: dict[str, Any] = {}
    for identity, verdict, failures in zip(
        own[ROW_ID].to_pylist(), own[OUTCOME].to_pylist(), own["_failures"].to_pylist(), strict=True
    ):
        stored = names[identity]
        # of equal rows one may contradict another: then all of them wait
        outcome[stored] = failures if verdict == "quarantined" else outcome.get(stored)
    return _told(batch, found, outcome, decided, rows)


def _chosen(
    spark: SparkSession, batch: Batch, bronze: DataFrame, found: pa.Table
) -> tuple[DataFrame, dict[str, str]]:
    """Return the bronze rows of the given quarantine rows, and each one's identity there."""
    wanted = dict.fromkeys(found[ROW_ID].to_pylist())
    names = {identity: identity for identity in wanted}
    if batch.seal is not None:
        known = bronze.select(ROW_ID).distinct().toArrow()[ROW_ID].to_pylist()
        names = {each: name for each in known if (name := batch.seal.fingerprint(each)) in wanted}
    ids = spark.createDataFrame(pa.table({ROW_ID: pa.array(list(names), pa.string())}))
    return bronze.join(F.broadcast(ids), ROW_ID, how="left_semi"), names


def _told(
    batch: Batch, found: pa.Table, outcome: dict[str, Any], decided: DataFrame, rows: pa.Table
) -> Revalidated:
    ids = found[ROW_ID].to_pylist()
    passes = [identity in outcome and not outcome[identity] for identity in ids]
    resolved, rest = found.filter(pa.array(passes)), found.filter(pa.array([not p for p in passes]))
    changed = [
        row | {"failures": outcome[row[ROW_ID]]}
        for row in rest.to_pylist()
        if row[ROW_ID] in outcome
        and (
            row["contract_version"] != batch.contract.version
            or _reasons(row["failures"]) != _reasons(outcome[row[ROW_ID]])
        )
    ]
    own = rows.filter(pc.invert(rows[FORMER]))
    return Revalidated(
        batch=batch,
        decided=decided,
        rows=rows,
        open=found.num_rows,
        resolved=resolved,
        changed=pa.Table.from_pylist(changed, schema=_with_failures(found.schema)),
        valid=Counter(own[OUTCOME].to_pylist())["valid"],
        missing=sum(identity not in outcome for identity in ids),
    )


def _with_failures(schema: pa.Schema) -> pa.Schema:
    return schema.set(schema.get_field_index("failures"), pa.field("failures", FAILURES))


def _reasons(failures: Any) -> list[tuple[str, str]]:
    return sorted((f["column"], f["rule"]) for f in failures or [])


def write(spark: SparkSession, run: Run, found: Revalidated) -> Step:
    """Load the rows that pass and tell the quarantine; return the step.

    The step moves rows from one account to another, so its counts add up to an input of none.
    """
    batch = replace(found.batch, run=run)
    resolved = found.resolved.num_rows
    follow(spark, batch)
    loaded = write_rows(spark, batch, found.decided, found.rows)
    reconcile(batch.contract, loaded, PendingRows(None, None))
    record_outcomes(batch, found.resolved, found.changed)
    step = run.record(
        Step(
            run.number, run.domain, "silver", str(batch.events),
            valid=found.valid, quarantined=-resolved, superseded=resolved - found.valid,
            written=loaded.events.rows, bytes=loaded.events.bytes,
            upstream=str(batch.bronze), version_from=batch.newest, version_to=batch.newest,
            contract_version=batch.contract.version,
            message=f"{resolved:,} of {found.open:,} quarantined rows replayed",
        )
    )  # fmt: skip
    run.flush()
    return step
