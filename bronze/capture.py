"""Carries new files into bronze: each content once, each row as it came, one commit a dataset."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from bronze import control_files, discovery, freshness
from bronze.narrowing import refuse_narrowed
from bronze.readers import READERS, by_format, reader_of, text_bytes
from bronze.type_coercion import also_rescued
from contracts.compilers import table_descriptions as describe
from contracts.types import short, widens
from lakehouse.engine.session import INTERPRETED, configured
from lakehouse.errors import ContractBreach
from lakehouse.runs.bookmarks import CAPTURE, captured_batch
from lakehouse.runs.ledger import Step
from lakehouse.storage.append import append, append_arrow
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from bronze.discovery import Entry, LandedFile
    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings
    from lakehouse.storage.append import Written

PARALLEL = 3
# Rows of so few bytes of text pass through memory: written by Spark they cost seconds of jobs.
SMALL_TEXT = 8_000_000


@dataclass(frozen=True)
class CaptureBatch:
    """One dataset's batch: the files to load, and what the file log has of each, skipped or not.

    `schemas` are those that the readers found in files that have one, by path.
    """

    contract: Contract
    files: list[LandedFile]
    schemas: dict[str, pa.Schema]
    entries: list[Entry]


def prepare(
    settings: Settings, contracts: Iterable[Contract], run: Run
) -> tuple[list[CaptureBatch], list[ContractBreach]]:
    """Return the batches to load, after checking every pending file and writing the plan ahead.

    Needs no JVM. For a dataset with a file that cannot be loaded whole its breach is returned, and
    nothing of it is written.
    """
    tables = Tables.at(settings)
    log = discovery.FileLog(tables, run.domain)
    batches, breaches, entries = [], [], []
    captured = {
        c.dataset: (c, captured_batch(tables, discovery.bronze_table(c))) for c in contracts
    }
    # Before anything is planned: what a killed run skipped beside its own files is pending again
    log.abandon_unfinished({dataset: committed for dataset, (_, committed) in captured.items()})
    for contract, committed in captured.values():
        pending = discovery.pending_files(settings, contract, log)
        if not pending:
            continue
        try:
            schemas = _checked(contract, pending)
            refuse_narrowed(tables, contract, schemas)
            control_files.reconcile(contract, pending, settings.landing / run.domain, run)
        except ContractBreach as breach:
            breaches.append(breach)
            table = str(TableName.of("bronze", run.domain, contract.dataset))
            run.record(
                Step(run.number, run.domain, "bronze", table, status="breach", message=str(breach))
            )
            continue
        planned = discovery.plan(contract, pending, log, committed, run.number)
        skipped = {entry.path for entry in planned if entry.status == "duplicate"}
        files = [file for file in pending if file.path not in skipped]
        batches.append(CaptureBatch(contract, files, schemas, planned))
        entries += planned
    log.write(entries)
    return batches, breaches


def _checked(contract: Contract, files: Iterable[LandedFile]) -> dict[str, pa.Schema]:
    """Return the schemas of the files that have one, by path, each file checked by its reader."""
    schemas = {file.path: reader_of(file).check(contract, file) for file in files}
    return {path: schema for path, schema in schemas.items() if schema is not None}


def load(
    spark: SparkSession,
    settings: Settings,
    batches: list[CaptureBatch],
    run: Run,
    progress: Callable[..., None] = lambda *_: None,
) -> list[Step]:
    """Load every dataset's batch, some at a time; return one step a dataset."""
    small = text_bytes(file for batch in batches for file in batch.files) < SMALL_TEXT
    with configured(spark, INTERPRETED if small else {}), ThreadPoolExecutor(PARALLEL) as pool:
        return list(
            pool.map(lambda batch: _load_dataset(spark, settings, batch, run, progress), batches)
        )


def _load_dataset(
    spark: SparkSession,
    settings: Settings,
    batch: CaptureBatch,
    run: Run,
    progress: Callable[..., None],
) -> Step:
    contract, start = batch.contract, time.monotonic()
    tables, name = Tables.at(settings), TableName.of("bronze", run.domain, contract.dataset)
    notes = [f"{e.path}: {e.reason}" for e in batch.entries if e.status == "duplicate"]
    notes += [f"{file.path}: no rows (0 bytes)" for file in batch.files if file.size == 0]
    step = Step(
        run.number, run.domain, "bronze", str(name),
        upstream=f"{len(batch.files)} files", contract_version=contract.version,
        message="; ".join(notes),
    )  # fmt: skip
    if batch.files:
        written = _commit(spark, tables, name, batch, run)
        position, operations = freshness.position_and_operations(
            tables, name, run.number, written.rows
        )
        step = replace(
            step, input=written.rows, valid=written.rows, written=written.rows,
            bytes=written.bytes, version_to=run.number, position=position, operations=operations,
        )  # fmt: skip
    step = run.record(replace(step, seconds=time.monotonic() - start))
    run.flush()
    progress(f"bronze {contract.dataset}: {step.written:,} rows")
    return step


def _commit(
    spark: SparkSession, tables: Tables, name: TableName, batch: CaptureBatch, run: Run
) -> Written:
    """Append a batch's rows, and with them the bookmark: the run that captured last, in one commit."""
    frame = _in_types_of_table(_rows(spark, batch), tables, name).select(
        "*",
        F.lit(datetime.now(UTC)).cast("timestamp").alias("_ingested_at"),
        F.lit(run.number).cast("bigint").alias("_batch"),
    )
    small = text_bytes(batch.files) < SMALL_TEXT
    return (append_arrow if small else append)(
        tables, name, frame.toArrow() if small else frame,
        idempotency_key=(CAPTURE, run.number),
        skip_on=("_batch", "_sequence", *batch.contract.keys),
        described=describe.bronze(batch.contract),
    )  # fmt: skip


def _rows(spark: SparkSession, batch: CaptureBatch) -> DataFrame:
    """Return the bronze rows of a batch's files, each kind of source read by its reader."""
    frames = [
        READERS[format_].read(spark, batch.contract, files, batch.schemas)
        for format_, files in by_format(batch.files).items()
    ]
    return reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), frames)


def _in_types_of_table(frame: DataFrame, tables: Tables, name: TableName) -> DataFrame:
    """Return the rows with each column in the type that the stored table has for it.

    A column that came before its contract named it is text; silver casts it. A value for which the
    table's type is too narrow is kept as text in `_rescued`, where silver reads it. Any other value
    that the type cannot represent stops the run before anything is written.
    """
    table = tables.open(name)
    if table is None:
        return frame
    stored = {field.name: _spark_type(field.type) for field in table.schema().fields}
    given = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    differing = {
        column: kind
        for column, kind in given.items()
        if stored.get(column) and stored[column] != kind
    }
    outgrown = [column for column, kind in differing.items() if widens(stored[column], kind)]
    fitted = {
        column: F.col(column).try_cast(stored[column])
        if column in outgrown
        else F.col(column).cast(stored[column])
        for column in differing
    }
    if outgrown:
        misfits = [(c, F.col(c), F.col(c).isNotNull() & fitted[c].isNull()) for c in outgrown]
        fitted["_rescued"] = also_rescued(F.col("_rescued"), misfits)
    return frame.withColumns(fitted) if fitted else frame


def _spark_type(kind: object) -> str:
    """Return a Delta primitive type by Spark's short name, empty for a nested one."""
    text = getattr(kind, "type", "")
    return short(text) if isinstance(text, str) and text not in ("map", "struct", "array") else ""
