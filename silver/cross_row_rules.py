"""Cross-row rules, which one row cannot violate alone: uniqueness, and references to other datasets.

They are validated on the rows that would be current once a batch is loaded, just before its events
are committed, and only for what the batch changes: one aggregate a uniqueness, one join a
reference. Why no row is quarantined: `docs/decisions/0008-cross-row-rules-block-the-batch.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from contracts.compilers import vault_sql
from contracts.compilers.conditions import absent
from contracts.sql import name
from lakehouse.errors import ContractBreach, Violation
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model.contract import Contract
    from contracts.model.rules import Reference, Unique
    from silver.batch import Batch


def enforce(spark: SparkSession, batch: Batch, events: pa.Table | DataFrame) -> tuple[str, ...]:
    """Return the messages of rules of severity `warning` that the batch's events would violate.

    `events` are all rows about to be appended, deletes and closed rows among them. Without rules
    nothing is read.

    Raises:
        ContractBreach: they would violate a rule of severity `error`; none of them is written.
    """
    contract = batch.contract
    if not contract.unique and not contract.references:
        return ()
    new = spark.createDataFrame(events) if isinstance(events, pa.Table) else events
    violating: list[tuple[Unique | Reference, DataFrame]] = [
        (rule, _duplicated(spark, batch, rule, new)) for rule in contract.unique
    ]
    violating += [(rule, _orphans(spark, batch, rule, new)) for rule in contract.references]
    violations = [v for rule, rows in violating if (v := _violation(batch, rule, rows))]
    errors = [violation for violation in violations if violation.severity == "error"]
    if errors:
        reasons = "; ".join(violation.message for violation in errors)
        raise ContractBreach(
            f"{contract.dataset}: {batch.events} stays as it is, the batch up to {batch.newest} of "
            f"{batch.bronze} would break its contract: {reasons}. Correct the rows at "
            "their source; the correction is read together with this batch",
            errors,
        )
    batch.run.warnings += violations
    return tuple(violation.message for violation in violations)


def in_reference_order(batches: Iterable[Batch]) -> list[list[Batch]]:
    """Return the batches in groups that load one after the other: a referenced dataset comes first."""
    left = {batch.contract.dataset: batch for batch in batches}
    groups = []
    while left:
        group = [
            batch
            for dataset, batch in left.items()
            if not any(
                rule.dataset in left and rule.dataset != dataset
                for rule in batch.contract.references
            )
        ]
        assert group, "references that go in a circle are refused when contracts are loaded"
        groups.append(group)
        for batch in group:
            del left[batch.contract.dataset]
    return groups


def _key(contract: Contract) -> str:
    assert contract.vault is not None
    return f"{contract.vault.parent}_hk"


def _stored(spark: SparkSession, batch: Batch, contract: Contract) -> DataFrame | None:
    assert contract.vault is not None
    table = TableName.of("silver", contract.domain, contract.vault.events)
    if batch.tables.is_empty(table):
        return None
    return spark.read.format("delta").load(batch.tables.path(table))


def _after_batch(spark: SparkSession, batch: Batch, new: DataFrame) -> DataFrame:
    """Return the events of the dataset as they will be after the batch, in the columns of a current row."""
    columns = vault_sql.events_columns(batch.contract)
    stored = _stored(spark, batch, batch.contract)
    new = new.select(*columns)
    return new if stored is None else stored.select(*columns).unionByName(new)


def _current(
    spark: SparkSession,
    contract: Contract,
    events: DataFrame,
    columns: tuple[str, ...],
    values: DataFrame,
) -> DataFrame:
    """Return the current rows with one of these values, from the events of their keys alone."""
    touched = events.join(values, on=list(columns), how="left_semi").select(_key(contract))
    return _present(_current_of(spark, contract, events, touched), contract, columns)


def _current_of(
    spark: SparkSession, contract: Contract, events: DataFrame, keys: DataFrame
) -> DataFrame:
    """Return the current rows of some keys, from the events of these keys alone."""
    of_keys = events.join(keys.distinct(), on=_key(contract), how="left_semi")
    if contract.keyless:
        # A truncate has no key and takes every row with it.
        of_keys = of_keys.unionByName(events.where("_op = 't'"))
    return spark.sql(vault_sql.current_view(contract, "{events}"), events=of_keys)


def _present(rows: DataFrame, contract: Contract, columns: tuple[str, ...]) -> DataFrame:
    for column in map(contract.column, columns):
        rows = rows.where(f"not {absent(column)}")
    return rows


def _duplicated(spark: SparkSession, batch: Batch, rule: Unique, new: DataFrame) -> DataFrame:
    """Return one row a current row whose values another current row has too."""
    contract = batch.contract
    values = _present(new, contract, rule.columns).select(*map(name, rule.columns)).distinct()
    rows = _current(spark, contract, _after_batch(spark, batch, new), rule.columns, values)
    groups = rows.groupBy(*rule.columns).agg(
        F.count(F.lit(1)).alias("_rows"), F.min(_key(contract)).alias("_hk")
    )
    return groups.where("_rows > 1")


def _orphans(spark: SparkSession, batch: Batch, rule: Reference, new: DataFrame) -> DataFrame:
    """Return one row a row that would be current and has no counterpart, with its key."""
    contract, target, key = batch.contract, batch.targets[rule.dataset], _key(batch.contract)
    # The latest event of a key may be older than what the batch brings.
    rows = _current_of(spark, contract, _after_batch(spark, batch, new), new.select(key))
    rows = _present(rows, contract, rule.columns)
    pairs = list(zip(rule.columns, rule.to, strict=True))
    theirs = (
        _after_batch(spark, batch, new)
        if target.dataset == contract.dataset
        else _stored(spark, batch, target)
    )
    if theirs is not None:
        wanted = rows.select(*[F.col(ours).alias(to) for ours, to in pairs]).distinct()
        there = _current(spark, target, theirs, rule.to, wanted)
        there = there.select(*[F.col(to).alias(ours) for ours, to in pairs]).distinct()
        rows = rows.join(there, on=list(rule.columns), how="left_anti")
    return rows.select(F.lit(1).alias("_rows"), F.col(key).alias("_hk"))


def _violation(batch: Batch, rule: Unique | Reference, violating: DataFrame) -> Violation | None:
    """Return the violation of a rule, None where no row is; a key is named by its hash, not its value."""
    sums: Any = violating.agg(
        F.coalesce(F.sum("_rows"), F.lit(0)).alias("rows"), F.hex(F.min("_hk")).alias("key")
    ).first()
    rows, key = sums["rows"], sums["key"]
    if not rows:
        return None
    message = f"{rule.label}: {rows:,} rows, such as the one with the key {key.lower()}"
    table, dataset = str(batch.events), batch.contract.dataset
    return Violation(dataset, "silver", rule.label, message, rows, table, severity=rule.severity)
