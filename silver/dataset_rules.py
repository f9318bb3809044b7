"""Enforces a dataset's rules on a validated batch, before anything of it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.quality.dataset_audit.audit import Audit, audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from silver.batch import Batch

SHOWN = 5
MASKED = "(masked)"


def enforce(
    batch: Batch,
    alive: pa.Table | DataFrame,
    split: dict[str, int],
    reasons: Callable[[], Iterable[tuple[str, str, str, int]]],
) -> Audit | None:
    """Return the audit of a batch; raise ContractBreach where it violates a rule of the dataset.

    `alive` are its good rows less the deletes. `reasons` yields (column, rule, value, rows) of the
    rejected ones, and is called only where a rule on their share is violated.
    """
    if not batch.enforce_rules or not batch.contract.dataset_rules:
        return None
    # Superseded rows are duplicates, so they are no part of any share.
    counts = {
        "valid": split["valid"],
        "quarantined": split["quarantined"],
        "input": split["valid"] + split["quarantined"],
    }
    audited = audit(batch.run, batch.contract, batch.events, alive, counts)
    sample: dict[str, tuple[str, ...]] = {}
    if any(not v.good and v.rule.metric == "badRows" for v in audited.outcomes):
        sample["badRows"] = tuple(_described(batch, reason) for reason in reasons())
    audited.enforce(sample)
    return audited


def columns(batch: Batch) -> tuple[str, ...]:
    """Return the columns that the dataset's rules measure."""
    return tuple({c: None for rule in batch.contract.dataset_rules for c in rule.columns})


def _described(batch: Batch, reason: tuple[str, str, str, int]) -> str:
    """Return a reason as a line; a value of personal data, or of an unknown column, is masked."""
    column, rule, value, rows = reason
    columns = {c.name: c for c in batch.contract.columns}
    shown = value if column in columns and not columns[column].is_personal else MASKED
    return f"{column}: {rule}: {rows:,} rows, such as {str(shown)[:80]}"


def reasons_in(rejected: pa.Table) -> list[tuple[str, str, str, int]]:
    """Return the most frequent reasons of rejected rows in memory, each with one value."""
    from lakehouse.engine.duckdb import connection

    with connection() as database:
        database.register("rejected", rejected.select(["_failures"]))
        return database.execute(
            "select f.column, f.rule, min(f.value), count(*) from "
            "(select unnest(_failures) as f from rejected) group by 1, 2 "
            f"order by 4 desc, 1, 2 limit {SHOWN}"
        ).fetchall()


def reasons_of(rejected: DataFrame) -> list[tuple[str, str, str, int]]:
    """Return the most frequent reasons of rejected rows that are not in memory."""
    from pyspark.sql import functions as F

    failures: Any = rejected.select(F.explode("_failures").alias("f"))
    reasons = (
        failures.groupBy("f.column", "f.rule")
        .agg(F.min("f.value").alias("value"), F.count(F.lit(1)).alias("rows"))
        .orderBy(F.desc("rows"), "column", "rule")
        .limit(SHOWN)
    )
    return [tuple(row) for row in reasons.toLocalIterator()]
