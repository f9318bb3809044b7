"""Carries new bronze rows through the gate into the vault, and rejected ones into quarantine."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from contracts.vault import events_columns
from lakehouse.errors import LakehouseError
from lakehouse.ledger import Step
from lakehouse.tables import TableName, Tables
from lakehouse.writing import Written, append
from silver.gate import IDENTITY, judged
from silver.pending import batches, stored_until, waiting_rows
from silver.repeats import VERDICT, verdicts
from silver.vault import load_hubs, load_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model import Contract
    from lakehouse.ledger import Run
    from lakehouse.settings import Settings

PARALLEL = 3
# Up to here the judged rows are kept in memory for the several writes. Above, each write judges
# again: it decodes and compares the columns it needs, which costs less than a copy of the rows.
KEEP_ROWS = 200_000


@dataclass(frozen=True)
class Counts:
    """What the gate found in one batch."""

    input: int
    good: int
    repeated: int
    first_position: str


def load(
    spark: SparkSession,
    settings: Settings,
    contracts: Iterable[Contract],
    run: Run,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Step]:
    """Load every dataset that has new bronze rows; return one step a dataset."""
    tables = Tables.at(settings)
    waiting = [c for c in contracts if c.vault is not None and _is_behind(tables, c)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(lambda c: _load_one(spark, settings, c, run, progress), waiting))


def _is_behind(tables: Tables, contract: Contract) -> bool:
    consumed, newest = batches(tables, contract)
    return newest > consumed


def _load_one(
    spark: SparkSession,
    settings: Settings,
    contract: Contract,
    run: Run,
    progress: Callable[[str], None],
) -> Step:
    assert contract.vault is not None
    tables, start = Tables.at(settings), time.monotonic()
    bronze = TableName.of("bronze", run.domain, contract.dataset)
    events = TableName.of("silver", run.domain, contract.vault.events)
    consumed, newest = batches(tables, contract)
    expected = waiting_rows(tables, contract, consumed)
    rows = judged(_new_rows(spark, tables.path(bronze), consumed, newest), contract)
    counts = _counts(rows)
    stored = _stored(spark, tables, events, contract, counts.first_position)
    decided = verdicts(rows, contract, stored, repeated=counts.repeated > 0)
    kept = decided.drop("_row", "_rescued", IDENTITY)
    if counts.input <= KEEP_ROWS:
        kept = kept.persist()
    split = _split(kept, counts, certain=stored is None and not counts.repeated)
    valid = kept.where(F.col(VERDICT) == "valid")
    load_hubs(spark, settings, contract, valid, run)
    if contract.vault.link and contract.vault.historized:
        # A delete may carry its key alone: what it joined is known from the rows before it.
        load_link(spark, settings, contract, valid.where(F.col("_op") != "d"), run)
    once = (str(bronze), newest)
    rejected = _quarantine(tables, decided, contract, run, once, split["quarantined"])
    # Last, since this commit also says how far bronze was read.
    written = append(
        tables, events, valid.select(*_stamped(contract, run)),
        once=once, skip_on=("_batch", "_sequence", *contract.keys),
    )  # fmt: skip
    kept.unpersist()
    _reconcile(contract, split, expected, written, rejected)
    step = run.record(
        Step(
            run.number, run.domain, "silver", str(events),
            input=counts.input, valid=split["valid"],
            quarantined=split["quarantined"], superseded=split["superseded"],
            written=written.rows, bytes=written.bytes + rejected.bytes,
            seconds=time.monotonic() - start,
            upstream=str(bronze), version_from=consumed, version_to=newest,
            contract_version=contract.version,
        )
    )  # fmt: skip
    run.flush()
    progress(f"silver {contract.dataset}: {step.valid:,} valid, {step.quarantined:,} quarantined")
    return step


def _new_rows(spark: SparkSession, path: str, consumed: int, newest: int) -> DataFrame:
    between = (F.col("_batch") > consumed) & (F.col("_batch") <= newest)
    return spark.read.format("delta").load(path).where(between)


def _counts(rows: DataFrame) -> Counts:
    """Return the counts of a batch, and whether any event occurs twice in it, in one job."""
    each = rows.groupBy(IDENTITY).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(F.col("_failures").isNull()).alias("good"),
        F.min("_sequence").alias("first"),
    )
    found = each.agg(
        F.coalesce(F.sum("rows"), F.lit(0)).alias("input"),
        F.coalesce(F.sum("good"), F.lit(0)).alias("good"),
        F.count_if(F.col("good") > 1).alias("repeated"),
        F.coalesce(F.min("first"), F.lit("")).alias("first"),
    ).first()
    return Counts(found["input"], found["good"], found["repeated"], found["first"])


def _stored(
    spark: SparkSession, tables: Tables, events: TableName, contract: Contract, first: str
) -> DataFrame | None:
    """Return the stored events that a batch may repeat, None where its positions are all newer."""
    until = stored_until(tables, events)
    if until is None or until < first:
        return None
    assert contract.vault is not None
    columns = [f"{contract.vault.parent}_hk", "_sequence", "_op", "_hashdiff"]
    stored = spark.read.format("delta").load(tables.path(events))
    return stored.where(F.col("_sequence") >= first).select(*columns)


def _split(decided: DataFrame, counts: Counts, *, certain: bool) -> dict[str, int]:
    """Return the number of rows by verdict; without repeats they are known already."""
    if certain:
        return {"valid": counts.good, "quarantined": counts.input - counts.good, "superseded": 0}
    found = dict.fromkeys(("valid", "quarantined", "superseded"), 0)
    for row in decided.groupBy(VERDICT).count().toLocalIterator():
        found[row[VERDICT]] = row["count"]
    return found


def _stamped(contract: Contract, run: Run) -> list[Any]:
    batch = F.lit(run.number).cast("bigint").alias("_batch")
    return [batch if column == "_batch" else F.col(column) for column in events_columns(contract)]


def _quarantine(
    tables: Tables,
    decided: DataFrame,
    contract: Contract,
    run: Run,
    once: tuple[str, int],
    count: int,
) -> Written:
    if not count:
        return Written(-1, 0, 0)
    rows = decided.where(F.col(VERDICT) == "quarantined").select(
        F.col("_row").alias("row"),
        F.col("_failures").alias("failures"),
        F.lit(contract.version).alias("contract_version"),
        F.lit("open").alias("status"),
        *["_op", "_sequence", "_source_ts", "_source", "_origin"],
        F.lit(run.number).cast("bigint").alias("_batch"),
        F.lit(datetime.now(UTC)).cast("timestamp").alias("quarantined_at"),
    )
    name = TableName.of("silver", run.domain, f"{contract.dataset}_quarantine")
    return append(tables, name, rows, once=once, skip_on=("_batch",))


def _reconcile(
    contract: Contract,
    split: dict[str, int],
    expected: int | None,
    written: Written,
    rejected: Written,
) -> None:
    """Compare the gate's counts with what Delta says was read and written."""
    pairs = {
        "rows read": (sum(split.values()), expected),
        "valid rows written": (split["valid"], written.rows),
        "rows quarantined": (split["quarantined"], rejected.rows),
    }
    for what, (gate, log) in pairs.items():
        if log is not None and gate != log:
            raise LakehouseError(
                f"{contract.dataset}: {what}: the gate counts {gate}, the tables say {log}"
            )
