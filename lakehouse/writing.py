"""Writes from Spark: one commit, once only, with the counts that Delta itself reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.tables import TableName, Tables


@dataclass(frozen=True)
class Written:
    """What one commit wrote."""

    version: int
    rows: int
    bytes: int


def append(
    tables: Tables,
    name: TableName,
    rows: DataFrame,
    *,
    once: tuple[str, int] | None = None,
    skip_on: tuple[str, ...] = (),
) -> Written:
    """Append rows in one commit.

    `once` = (application, number) is written into the same commit; a second append with it is
    skipped by Delta. `skip_on` names the columns whose minimum and maximum each file keeps, so
    that readers skip files; it counts when the table is made.
    """
    before = tables.version(name)
    writer = rows.write.format("delta").mode("append").option("mergeSchema", "true")
    if once is not None:
        writer = writer.option("txnAppId", once[0]).option("txnVersion", str(once[1]))
    if before < 0 and skip_on:
        writer = writer.option("delta.dataSkippingStatsColumns", ",".join(skip_on))
    writer.save(tables.path(name))
    return last_commit(tables, name, before)


def last_commit(tables: Tables, name: TableName, before: int) -> Written:
    """Return what the commits after version `before` wrote; nothing where there is none."""
    table = tables.open(name)
    if table is None or table.version() == before:
        return Written(before, 0, 0)
    rows = size = 0
    for commit in table.history(table.version() - before):
        metrics = commit.get("operationMetrics") or {}
        rows += int(metrics.get("numOutputRows") or metrics.get("num_added_rows") or 0)
        size += int(metrics.get("numOutputBytes") or 0)
    return Written(table.version(), rows, size)
