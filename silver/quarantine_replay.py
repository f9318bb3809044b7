"""Replays quarantined rows: gated again, as the contract is now, and loaded as if they had just come.

The rows are read from bronze by their identity, and loaded by the code of every small batch; the
order of events is the source's, so coming late changes nothing. The events are committed first and
the quarantine is updated last: killed in between, a second replay supersedes the events.
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
from silver.late_events import stored_from
from silver.load import reconcile
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
    """Rows of batches that were consumed long ago: their commits carry no bookmark."""

    @property
    def bookmark(self) -> None:
        """Return none: a stored event is a duplicate by key and position."""
        return

    @property
    def rejected_until(self) -> int:
        """Return the newest batch: whatever fails again is in quarantine already."""
        return self.newest


@dataclass(frozen=True)
class Revalidated:
    """Some open rows of the quarantine, as the gate validates them now.

    `resolved` are those that pass or duplicate a stored event, `changed` those that fail with other
    reasons, or under another version, than before; `missing` rows are not in bronze.
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
    """Yield the open rows of a dataset's quarantine, at most as many at a time as fit in memory.

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
                rows: pa.Table = database.sql(query, params=[*last, batch.newest]).to_arrow_table()
            except duckdb.Error as error:
                first = str(error).splitlines()[0]
                raise UsageError(
                    f"--where is no condition on {batch.quarantine}: {first}"
                ) from None
        if not rows.num_rows:
            return
        yield rows
        last = (rows[ROW_ID][-1].as_py(), rows["_bronze_batch"][-1].as_py())


def revalidate(spark: SparkSession, batch: Batch, quarantined: pa.Table) -> Revalidated:
    """Return open rows as the gate validates them now; nothing is written."""
    contract = batch.contract
    bronze = spark.read.format("delta").load(batch.tables.path(batch.bronze))
    batches = pc.unique(quarantined["_bronze_batch"]).to_pylist()
    bronze = bronze.where(F.col("_batch").isin(batches))
    first = None
    if not quarantined["_sequence"].null_count:
        limits = pc.min_max(quarantined["_sequence"]).as_py()
        first = limits["min"]
        bronze = bronze.where(F.col("_sequence").between(first, limits["max"]))
    bronze, names = _chosen(spark, batch, identified(bronze), quarantined)
    decided = outcomes(
        validated(bronze, contract), contract, stored_from(spark, batch, first), "anywhere"
    )
    rows = collected(decided, batch)
    own = rows.filter(pc.invert(rows[FORMER]))
    failures_of: dict[str, Any] = {}
    for identity, outcome, failures in zip(
        own[ROW_ID].to_pylist(), own[OUTCOME].to_pylist(), own["_failures"].to_pylist(), strict=True
    ):
        stored = names[identity]
        # of equal rows one may contradict another: then all of them stay open
        failures_of[stored] = failures if outcome == "quarantined" else failures_of.get(stored)
    return _compared(batch, quarantined, failures_of, decided, rows)


def _chosen(
    spark: SparkSession, batch: Batch, bronze: DataFrame, quarantined: pa.Table
) -> tuple[DataFrame, dict[str, str]]:
    """Return the bronze rows of the given quarantine rows, and by identity the one in quarantine."""
    wanted = dict.fromkeys(quarantined[ROW_ID].to_pylist())
    names = {identity: identity for identity in wanted}
    if batch.seal is not None:
        ids = bronze.select(ROW_ID).distinct().toArrow()[ROW_ID].to_pylist()
        names = {id_: name for id_ in ids if (name := batch.seal.fingerprint(id_)) in wanted}
    chosen = spark.createDataFrame(pa.table({ROW_ID: pa.array(list(names), pa.string())}))
    return bronze.join(F.broadcast(chosen), ROW_ID, how="left_semi"), names


def _compared(
    batch: Batch,
    quarantined: pa.Table,
    failures_of: dict[str, Any],
    decided: DataFrame,
    rows: pa.Table,
) -> Revalidated:
    """Return open rows by whether they pass now; `failures_of` has those that are in bronze."""
    ids = quarantined[ROW_ID].to_pylist()
    passes = [identity in failures_of and not failures_of[identity] for identity in ids]
    resolved = quarantined.filter(pa.array(passes))
    rest = quarantined.filter(pa.array([not p for p in passes]))
    changed = [
        row | {"failures": failures_of[row[ROW_ID]]}
        for row in rest.to_pylist()
        if row[ROW_ID] in failures_of
        and (
            row["contract_version"] != batch.contract.version
            or _reasons(row["failures"]) != _reasons(failures_of[row[ROW_ID]])
        )
    ]
    own = rows.filter(pc.invert(rows[FORMER]))
    return Revalidated(
        batch=batch,
        decided=decided,
        rows=rows,
        open=quarantined.num_rows,
        resolved=resolved,
        changed=pa.Table.from_pylist(changed, schema=_with_failures(quarantined.schema)),
        valid=Counter(own[OUTCOME].to_pylist())["valid"],
        missing=sum(identity not in failures_of for identity in ids),
    )


def _with_failures(schema: pa.Schema) -> pa.Schema:
    return schema.set(schema.get_field_index("failures"), pa.field("failures", FAILURES))


def _reasons(failures: Any) -> list[tuple[str, str]]:
    return sorted((f["column"], f["rule"]) for f in failures or [])


def write(spark: SparkSession, run: Run, rows: Revalidated) -> Step:
    """Load the rows that pass and update the quarantine; return the step.

    The step moves rows from one account to another, so its counts add up to an input of none.
    """
    batch = replace(rows.batch, run=run)
    resolved = rows.resolved.num_rows
    follow(spark, batch)
    loaded = write_rows(spark, batch, rows.decided, rows.rows)
    reconcile(batch.contract, loaded, PendingRows(None, None))
    record_outcomes(batch, rows.resolved, rows.changed)
    step = run.record(
        Step(
            run.number, run.domain, "silver", str(batch.events),
            valid=rows.valid, quarantined=-resolved, superseded=resolved - rows.valid,
            written=loaded.events.rows, bytes=loaded.events.bytes,
            upstream=str(batch.bronze), version_from=batch.newest, version_to=batch.newest,
            contract_version=batch.contract.version,
            message=f"{resolved:,} of {rows.open:,} quarantined rows replayed",
        )
    )  # fmt: skip
    run.flush()
    return step
