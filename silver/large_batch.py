"""A large batch in silver: validated and written by Spark, one job a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from contracts.compilers import table_descriptions as describe
from contracts.compilers.gate import TOMBSTONE, TRUNCATE
from contracts.compilers.vault_sql import events_columns
from lakehouse.storage.append import append
from lakehouse.storage.table_log import Written
from silver import cross_row_rules, dataset_rules, truncates
from silver.batch import Batch, Loaded
from silver.duplicates import OUTCOME, OUTCOMES, outcomes
from silver.gate import FORMER, GOOD, IDENTITY, UNCHANGED
from silver.quarantine import as_frame
from silver.unchanged_values import UNCHANGED_COLUMNS, fill, has_any
from silver.vault import load_hubs, load_link

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Counts:
    """The counts of a batch at the gate: all rows, good ones, tombstones, truncates.

    `unchanged` are rows with an unchanged value, `duplicated` the identities of several good rows.
    """

    input: int
    good: int
    tombstones: int
    truncates: int
    unchanged: int
    duplicated: int


def load(
    spark: SparkSession, batch: Batch, validated: DataFrame, stored: DataFrame | None
) -> Loaded:
    """Load the batch, validating the rows again for each write.

    A write decodes and compares only the columns it needs, which costs less than keeping a copy.
    """
    contract, run, tables = batch.contract, batch.run, batch.tables
    assert contract.vault is not None
    counts = _counts(validated.where(~F.col(FORMER)))
    # A former row is duplicated with its update; a snapshot may be superseded without a twin.
    certain = stored is None and not counts.duplicated and not contract.keyless
    decided = outcomes(validated, contract, stored, "some" if counts.duplicated else "none")
    split = _split(decided.where(~F.col(FORMER)), counts, certain=certain)
    valid = decided.where(F.col(OUTCOME) == "valid")
    bad = decided.where(F.col(OUTCOME) == "quarantined")
    alive = valid.where((F.col("_op") != "d") & ~F.col(FORMER))
    audit = dataset_rules.enforce(batch, alive, split, lambda: dataset_rules.reasons_of(bad))
    load_hubs(spark, tables, contract, valid, run)
    if contract.vault.link and contract.vault.historized:
        # A delete may carry its key alone: what it joined is known from the rows before it.
        load_link(spark, tables, contract, valid.where(F.col("_op") != "d"), run)
    rejected, before = Written(-1, 0, 0), 0
    if split["quarantined"]:
        is_stored = F.col("_batch") <= batch.rejected_until
        before = bad.where(is_stored).count() if batch.rejected_until > batch.consumed else 0
        rejected = append(
            tables,
            batch.quarantine,
            as_frame(batch, bad.where(~is_stored)),
            idempotency_key=batch.bookmark,
            skip_on=("_batch",),
            described=describe.quarantine(contract),
        )
    # Last, since this commit also carries the bookmark of bronze.
    rows = _with_unchanged_values(spark, batch, valid, counts)
    closed = truncates.deletes(spark, batch, decided, came=bool(split["truncate"]))
    ends = 0
    if contract.keyless:
        ends = valid.where(FORMER).count()
    elif closed is not None:
        closed = closed.persist()
        ends, rows = closed.count(), rows.unionByName(closed, allowMissingColumns=True)
    warnings = cross_row_rules.enforce(spark, batch, rows)
    written = append(
        tables,
        batch.events,
        rows,
        idempotency_key=batch.bookmark,
        skip_on=batch.skip_on,
        described=describe.events(contract),
    )
    return Loaded(split, written, rejected, ends, before, audit, warnings)


def _counts(rows: DataFrame) -> Counts:
    """Return the counts of a batch, and whether any event occurs twice in it, in one job."""
    tombstone, truncate = F.col("_op") == TOMBSTONE, F.col("_op") == TRUNCATE
    empty = F.coalesce(tombstone | truncate, F.lit(False))
    events = rows.groupBy(IDENTITY).agg(
        F.count(F.lit(1)).alias("input"),
        F.count_if(F.col(GOOD) & ~empty).alias("good"),
        F.count_if(tombstone).alias("tombstones"),
        F.count_if(truncate).alias("truncates"),
        F.count_if(F.col(UNCHANGED).isNotNull()).alias("unchanged"),
    )
    sums = ("input", "good", "tombstones", "truncates", "unchanged")
    totals = events.agg(
        *[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in sums],
        F.count_if(F.col("good") > 1).alias("duplicated"),
    ).first()
    assert totals is not None
    return Counts(**totals.asDict())


def _split(decided: DataFrame, counts: Counts, *, certain: bool) -> dict[str, int]:
    """Return the number of rows by outcome; without duplicates the counts suffice."""
    if certain:
        bad = counts.input - counts.good - counts.tombstones - counts.truncates
        kinds = (counts.good, bad, counts.tombstones, counts.truncates)
        return dict(zip(OUTCOMES, kinds, strict=True))
    split: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
    for row in decided.groupBy(OUTCOME).count().toLocalIterator():
        split[row[OUTCOME]] = row["count"]
    return split


def _with_unchanged_values(
    spark: SparkSession, batch: Batch, valid: DataFrame, counts: Counts
) -> DataFrame:
    """Return the events with their batch, and with their unchanged values filled.

    Rows with unchanged values are few, so they are filled in memory.
    """
    assert batch.contract.vault is not None
    events, lacking = valid.select(*_stamped(batch)), F.col(UNCHANGED).isNotNull()
    table = batch.tables.open(batch.events)
    if not counts.unchanged and not (table is not None and has_any(table)):
        return events
    key, columns = f"{batch.contract.vault.parent}_hk", [*_stamped(batch), *UNCHANGED_COLUMNS]

    def of_keys(keys: pa.Table) -> pa.Table:
        wanted = F.broadcast(spark.createDataFrame(keys))
        return valid.select(*columns).join(wanted, key, "left_semi").toArrow()

    filled = fill(spark, batch, valid.where(lacking).select(*columns).toArrow(), of_keys)
    if filled is None:
        return events
    whole = valid.where(~lacking).select(*_stamped(batch))
    return whole.unionByName(spark.createDataFrame(filled), allowMissingColumns=True)


def _stamped(batch: Batch) -> list[Any]:
    stamp = F.lit(batch.run.number).cast("bigint").alias("_batch")
    columns = events_columns(batch.contract)
    return [stamp if column == "_batch" else F.col(column) for column in columns]
