"""Loads new bronze rows through the gate into the vault, and rejected ones into quarantine."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.engine.session import INTERPRETED, configured
from lakehouse.errors import ContractBreach, LakehouseError
from lakehouse.quality.sealing import Seal
from lakehouse.runs.ledger import Step
from lakehouse.storage.table_log import bytes_added
from lakehouse.storage.tables import Tables
from silver import cross_row_rules, large_batch, small_batch
from silver.batch import Batch, Loaded
from silver.gate import validated
from silver.late_events import stored_from
from silver.pending import PendingRows, consumed_and_newest, pending_rows
from silver.type_widening import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyspark.sql import SparkSession

    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings

PARALLEL = 3
# So few rows are validated by interpreted expressions, as long as what is stored is small.
FEW_ROWS, SMALL_BYTES = 10_000, 256_000_000


def load(
    spark: SparkSession,
    settings: Settings,
    contracts: Iterable[Contract],
    run: Run,
    progress: Callable[..., None] = lambda *_: None,
    *,
    enforce_rules: bool = True,
) -> list[Step]:
    """Load every dataset that has new bronze rows; return one step a dataset.

    A dataset that breaks a rule of its contract is left as it was, with its breach in the run's
    `breaches`; the others go on.
    """
    tables, pending = Tables.at(settings), []
    by_name = {contract.dataset: contract for contract in contracts}
    for contract in by_name.values():
        if contract.vault is not None:
            consumed, newest = consumed_and_newest(tables, contract)
            if newest > consumed:
                seal = Seal.at(settings) if contract.personal else None
                pending.append(
                    Batch(contract, run, tables, consumed, newest, enforce_rules, by_name, seal)
                )
    with configured(spark, _options(pending)), ThreadPoolExecutor(PARALLEL) as pool:
        return [
            step
            for group in cross_row_rules.in_reference_order(pending)
            for step in pool.map(lambda batch: _load_or_stop(spark, batch, progress), group)
        ]


def _options(batches: list[Batch]) -> Mapping[str, str]:
    """Return the options of Spark by the rows to validate, and the bytes to compare them with."""
    rows = [pending_rows(batch.tables, batch.contract, batch.consumed).rows for batch in batches]
    stored = sum(bytes_added(batch.tables, batch.events, -1) for batch in batches)
    most = min(FEW_ROWS, small_batch.ROWS)
    few = None not in rows and sum(n or 0 for n in rows) < most and stored < SMALL_BYTES
    return INTERPRETED if few else {}


def _load_or_stop(spark: SparkSession, batch: Batch, progress: Callable[..., None]) -> Step:
    start, run = time.monotonic(), batch.run
    try:
        return _load_one(spark, batch, progress)
    except ContractBreach as breach:
        run.breaches.append(breach)
        step = Step(
            run.number, run.domain, "silver", str(batch.events), status="breach",
            seconds=time.monotonic() - start, upstream=str(batch.bronze),
            version_from=batch.consumed, version_to=batch.newest,
            contract_version=batch.contract.version, message=str(breach),
        )  # fmt: skip
        progress(f"silver {batch.contract.dataset}: breach")
        return run.record(step)


def _load_one(spark: SparkSession, batch: Batch, progress: Callable[..., None]) -> Step:
    start, contract, run = time.monotonic(), batch.contract, batch.run
    follow(spark, batch)
    expected = pending_rows(batch.tables, contract, batch.consumed)
    between = (F.col("_batch") > batch.consumed) & (F.col("_batch") <= batch.newest)
    bronze = spark.read.format("delta").load(batch.tables.path(batch.bronze)).where(between)
    rows, stored = validated(bronze, contract), stored_from(spark, batch, expected.first_position)
    if expected.rows is not None and expected.rows <= small_batch.ROWS:
        loaded = small_batch.load(spark, batch, rows, stored)
    else:
        loaded = large_batch.load(spark, batch, rows, stored)
    reconcile(contract, loaded, expected)
    if loaded.audit is not None:
        loaded.audit.record()
    split = loaded.split
    step = run.record(
        Step(
            run.number, run.domain, "silver", str(batch.events),
            input=sum(split.values()), valid=split["valid"] + split["truncate"],
            quarantined=split["quarantined"], superseded=split["superseded"],
            written=loaded.events.rows, bytes=loaded.events.bytes + loaded.quarantine.bytes,
            seconds=time.monotonic() - start,
            upstream=str(batch.bronze), version_from=batch.consumed, version_to=batch.newest,
            contract_version=contract.version,
            message="; ".join(loaded.warnings),
        )
    )  # fmt: skip
    run.flush()
    progress(f"silver {contract.dataset}: {step.valid:,} valid, {step.quarantined:,} quarantined")
    for warning in loaded.warnings:
        progress(f"silver {contract.dataset}: warning: {warning}")
    return step


def reconcile(contract: Contract, loaded: Loaded, expected: PendingRows) -> None:
    """Compare the gate's counts with those that Delta reports of what was read and written."""
    rejected = loaded.split["quarantined"] - loaded.rejected_before
    pairs = {
        "rows read": (sum(loaded.split.values()), expected.rows),
        "valid rows written": (loaded.split["valid"] + loaded.closed, loaded.events.rows),
        "rows quarantined": (rejected, loaded.quarantine.rows),
    }
    for count, (gate, log) in pairs.items():
        if log is not None and gate != log:
            message = f"{contract.dataset}: {count}: the gate counts {gate}, the tables have {log}"
            raise LakehouseError(message)
