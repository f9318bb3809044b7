"""Writes in one commit, once only, with the counts that Delta itself reports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakehouse.tables import STATISTICS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from lakehouse.tables import TableName, Tables


@dataclass(frozen=True)
class Written:
    """What one commit wrote."""

    version: int
    rows: int
    bytes: int


def append_arrow(
    tables: Tables,
    name: TableName,
    rows: pa.Table,
    *,
    once: tuple[str, int] | None = None,
    skip_on: tuple[str, ...] = (),
) -> Written:
    """Append few rows without Spark: see `Tables.append`."""
    before, size = tables.version(name), _size(tables, name)
    tables.append(name, rows, once=once, skip_on=skip_on)
    written = last_commit(tables, name, before)
    return replace(written, bytes=_size(tables, name) - size if written.rows else 0)


def _size(tables: Tables, name: TableName) -> int:
    table = tables.open(name)
    if table is None:
        return 0
    files = table.get_add_actions(flatten=True)
    return sum(files.column(files.column_names.index("size_bytes")).to_pylist())


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
        writer = writer.option(STATISTICS, ",".join(skip_on))
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
