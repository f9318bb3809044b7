"""Loads hubs and links: insert-only sets, so any order or repetition gives the same rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from contracts.compilers import hash_keys, vault_sql
from contracts.compilers import table_descriptions as describe
from lakehouse.runs.ledger import Step
from lakehouse.storage.append import append
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from contracts.compilers.table_descriptions import TableDescription
    from contracts.model.contract import Contract, Hub
    from lakehouse.runs.ledger import Run
    from lakehouse.storage.table_log import Written
    from lakehouse.storage.tables import Tables

# Several datasets load one hub; their anti-joins must not pass each other.
LOCKS: dict[TableName, Lock] = defaultdict(Lock)


def load_hubs(
    spark: SparkSession, tables: Tables, contract: Contract, rows: DataFrame, run: Run
) -> None:
    """Add the business keys that the hubs lack, the ghost row with the first ones."""
    assert contract.vault is not None
    expressions = hash_keys.hub_keys(contract)
    for hub in contract.vault.hubs:
        key = f"{hub.name}_hk"
        # Hash each distinct key once, not each row.
        keys = rows.select(*hub.columns).distinct()
        for column in hub.columns:
            keys = keys.where(F.col(column).isNotNull())
        named = [F.col(column).alias(member) for column, member in _named(hub)]
        members = keys.select(F.expr(expressions[key]).alias(key), *named)
        name = TableName.of("silver", run.domain, f"hub_{hub.name}")
        described = describe.hub(contract, hub)
        ghost = _ghost(spark, contract, hub)
        _insert(spark, tables, name, members, key, hub.members, run, described, ghost)


def _ghost(spark: SparkSession, contract: Contract, hub: Hub) -> DataFrame:
    row = spark.sql(vault_sql.ghost_row(hub.name, hub.members))
    return row.select(
        f"{hub.name}_hk",
        *[F.col(member).cast(contract.column(column).type) for column, member in _named(hub)],
    )


def _named(hub: Hub) -> list[tuple[str, str]]:
    return list(zip(hub.columns, hub.members, strict=True))


def load_link(
    spark: SparkSession, tables: Tables, contract: Contract, rows: DataFrame, run: Run
) -> None:
    """Add the combinations of hub members that the link lacks."""
    assert contract.vault is not None
    key = f"{contract.vault.link}_hk"
    hubs = hash_keys.hub_keys(contract)
    columns = dict.fromkeys([*contract.keys, *[c for h in contract.vault.hubs for c in h.columns]])
    members = (
        rows.select(*columns)
        .distinct()
        .select(
            F.expr(hash_keys.parent_key(contract)[key]).alias(key),
            *[F.expr(expression).alias(hub) for hub, expression in hubs.items()],
            *contract.vault.dependent,
        )
    )
    name = TableName.of("silver", run.domain, f"lnk_{contract.vault.link}")
    within = contract.vault.dependent
    _insert(spark, tables, name, members, (key, *hubs), within, run, describe.link(contract))


def _insert(
    spark: SparkSession,
    tables: Tables,
    name: TableName,
    members: DataFrame,
    key: str | tuple[str, ...],
    within: Sequence[str],
    run: Run,
    described: TableDescription,
    ghost: DataFrame | None = None,
) -> None:
    on = [key] if isinstance(key, str) else list(key)
    with LOCKS[name]:
        if not tables.is_empty(name):
            stored = spark.read.format("delta").load(tables.path(name)).select(*on)
            members = members.join(stored, on, how="left_anti").persist()
            if members.isEmpty():
                members.unpersist()
                return
        elif ghost is not None:
            members = members.unionByName(ghost)
        batch = F.lit(run.number).cast("bigint").alias("_batch")
        rows = members.select("*", batch)
        skip_on = ("_batch", *within)
        written = append(tables, name, rows, skip_on=skip_on, described=described)
        members.unpersist()
    record(run, name, written)


def record(run: Run, name: TableName, written: Written) -> None:
    """Record in the ledger the rows that were written to a hub or link."""
    step = Step(run.number, run.domain, "silver", str(name))
    run.record(replace(step, written=written.rows, bytes=written.bytes))
