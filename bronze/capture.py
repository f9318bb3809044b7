"""Carries new files into bronze: each content once, each row as it came, one commit a dataset."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from bronze import control_files, discovery, freshness
from bronze.narrowing import refuse_narrowed
from bronze.readers import debezium
from bronze.readers import parquet as files
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

    from pyspark.sql import DataFrame, SparkSession

    from bronze.discovery import Entry, LandedFile
    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings

PARALLEL = 3
# Rows of so few bytes of text pass through memory: written by Spark they cost seconds of jobs. A row
# takes about an eighth of that in Parquet.
FEW_BYTES, PARQUET = 8_000_000, 8


@dataclass(frozen=True)
class Work:
    """One dataset's batch: the files to load, and those that are skipped as duplicates."""

    contract: Contract
    load: list[LandedFile]
    schemas: dict[str, object]
    entries: list[Entry]


def prepare(
    settings: Settings, contracts: Iterable[Contract], run: Run
) -> tuple[list[Work], list[ContractBreach]]:
    """Return what is to be loaded, after checking every file and writing the plan ahead.

    Needs no JVM. A dataset with a file that cannot be loaded whole is left out and its breach
    returned: nothing of it is written.
    """
    tables = Tables.at(settings)
    log = discovery.FileLog(tables, run.domain)
    works, breaches, entries = [], [], []
    for contract in contracts:
        committed = captured_batch(tables, discovery.bronze_table(contract))
        # Before anything is planned: what a killed run skipped beside its own files waits again.
        log.abandon_unfinished(contract.dataset, committed)
        found = discovery.pending_files(settings, contract, log)
        if not found:
            continue
        try:
            schemas = {
                f.path: files.check(contract, f) for f in found if f.capture.method == "files"
            }
            refuse_narrowed(tables, contract, schemas)
            control_files.reconcile(contract, found, settings.landing / run.domain, run)
        except ContractBreach as breach:
            breaches.append(breach)
            table = str(TableName.of("bronze", run.domain, contract.dataset))
            run.record(
                Step(run.number, run.domain, "bronze", table, status="breach", message=str(breach))
            )
            continue
        planned = discovery.plan(contract, found, log, committed, run.number)
        skipped = {entry.path for entry in planned if entry.status == "duplicate"}
        load = [file for file in found if file.path not in skipped]
        works.append(Work(contract, load, schemas, planned))
        entries += planned
    log.write(entries)
    return works, breaches


def load(
    spark: SparkSession,
    settings: Settings,
    works: list[Work],
    run: Run,
    progress: Callable[..., None] = lambda *_: None,
) -> list[Step]:
    """Load every dataset's batch, some at a time; return one step a dataset."""
    few = _text(file for work in works for file in work.load) < FEW_BYTES
    with configured(spark, INTERPRETED if few else {}), ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(lambda work: _load_one(spark, settings, work, run, progress), works))


def _load_one(
    spark: SparkSession, settings: Settings, work: Work, run: Run, progress: Callable[..., None]
) -> Step:
    contract, start = work.contract, time.monotonic()
    name = TableName.of("bronze", run.domain, contract.dataset)
    notes = [f"{e.path}: {e.reason}" for e in work.entries if e.status == "duplicate"]
    notes += [f"{file.path}: no rows (0 bytes)" for file in work.load if file.size == 0]
    step = Step(
        run.number, run.domain, "bronze", str(name),
        upstream=f"{len(work.load)} files", contract_version=contract.version,
        message="; ".join(notes),
    )  # fmt: skip
    if work.load:
        frame = _as_stored(_rows(spark, work), Tables.at(settings), name).select(
            "*",
            F.lit(datetime.now(UTC)).cast("timestamp").alias("_ingested_at"),
            F.lit(run.number).cast("bigint").alias("_batch"),
        )
        few = _text(work.load) < FEW_BYTES
        written = (append_arrow if few else append)(
            Tables.at(settings), name, frame.toArrow() if few else frame,
            idempotency_key=(CAPTURE, run.number),
            skip_on=("_batch", "_sequence", *contract.keys),
            described=describe.bronze(contract),
        )  # fmt: skip
        step = _with(step, written.rows, written.bytes, run.number)
        position, operations = freshness.progress(
            Tables.at(settings), name, run.number, written.rows
        )
        step = replace(step, position=position, operations=operations)
    step = run.record(_timed(step, start))
    run.flush()
    progress(f"bronze {contract.dataset}: {step.written:,} rows")
    return step


def _text(found: Iterable[LandedFile]) -> int:
    """Return how many bytes some files have as text."""
    return sum(f.size * (PARQUET if f.path.endswith(".parquet") else 1) for f in found)


def _as_stored(frame: DataFrame, tables: Tables, name: TableName) -> DataFrame:
    """Return the rows with each column in the type that the table has for it.

    A column that came before its contract named it is text; silver casts it. A value for which the
    table's type is too narrow is kept as text in `_rescued`, where silver finds it. Any other value
    that the type cannot hold stops the run before anything is written.
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


def _with(step: Step, rows: int, size: int, batch: int) -> Step:
    return replace(step, input=rows, valid=rows, written=rows, bytes=size, version_to=batch)


def _timed(step: Step, start: float) -> Step:
    return replace(step, seconds=time.monotonic() - start)


def _rows(spark: SparkSession, work: Work) -> DataFrame:
    frames = []
    parquet = [file for file in work.load if file.capture.method == "files"]
    if parquet:
        schemas = [work.schemas[file.path] for file in parquet]
        frames.append(files.rows(spark, work.contract, parquet, schemas))
    for form in ("debezium-json", "kafka-json"):
        group = [
            f for f in work.load if f.capture.method == "debezium" and f.capture.format == form
        ]
        if group:
            parsed = debezium.lines(spark, group)
            extra = debezium.unknown_columns(parsed, work.contract)
            frames.append(debezium.rows(parsed, work.contract, extra))
    union = frames[0]
    for frame in frames[1:]:
        union = union.unionByName(frame, allowMissingColumns=True)
    return union
