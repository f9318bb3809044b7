"""Writes in one commit, once only, with the counts that Delta itself reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltalake import Schema

from lakehouse.storage.create import commented, commented_schema, make
from lakehouse.storage.tables import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

    from contracts.compilers.table_descriptions import TableDescription
    from lakehouse.storage.tables import TableName, Tables


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
    idempotency_key: tuple[str, int] | None = None,
    skip_on: tuple[str, ...] = (),
    described: TableDescription | None = None,
) -> Written:
    """Append few rows without Spark: see `Tables.append`; `described` as in `append`."""
    before = tables.version(name)
    if described is not None and before < 0:
        make(tables, name, Schema.from_arrow(rows.schema), described, skip_on)
    if described is not None and before >= 0:
        rows = rows.cast(commented_schema(rows.schema, _columns(tables, name), described))
    tables.append(name, rows, idempotency_key=idempotency_key, skip_on=skip_on)
    return between(tables, name, before, tables.version(name))


def append(
    tables: Tables,
    name: TableName,
    rows: DataFrame,
    *,
    idempotency_key: tuple[str, int] | None = None,
    skip_on: tuple[str, ...] = (),
    described: TableDescription | None = None,
) -> Written:
    """Append rows in one commit.

    `idempotency_key` = (application, number) is written into the same commit; Delta skips a second
    append with it. `skip_on` names the columns whose minimum and maximum each file keeps, so that
    readers skip files; it counts when the table is made. A table that is `described` is made with
    its comments and constraints before its first rows; columns that come later bring theirs.
    """
    before = tables.version(name)
    if described is not None and before < 0:
        make(tables, name, Schema.from_json(rows.schema.json()), described, skip_on)
    elif described is not None:
        rows = commented(rows, _columns(tables, name), described)
    writer = rows.write.format("delta").mode("append").option("mergeSchema", "true")
    if idempotency_key is not None:
        writer = writer.option("txnAppId", idempotency_key[0]).option(
            "txnVersion", str(idempotency_key[1])
        )
    if before < 0 and skip_on:
        writer = writer.option(STATISTICS, ",".join(skip_on))
    writer.save(tables.path(name))
    return between(tables, name, before, tables.version(name))


def _columns(tables: Tables, name: TableName) -> list[str]:
    table = tables.open(name)
    return [] if table is None else [field.name for field in table.schema().fields]


def between(tables: Tables, name: TableName, before: int, after: int) -> Written:
    """Return what the commits after one version and up to another wrote, from the table's log.

    Rows are those a commit says it inserted, updated or deleted; a file that a merge copied with
    a changed row counts in bytes, not in rows.
    """
    table = tables.open(name, after) if after > before else None
    if table is None:
        return Written(before, 0, 0)
    commits = table.history(after - before)
    rows = sum(_changed(commit.get("operationMetrics") or {}) for commit in commits)
    return Written(after, rows, added(tables, name, before, after))


def added(tables: Tables, name: TableName, before: int, after: int | None = None) -> int:
    """Return the bytes of the files that one version has and an earlier one had not."""
    old = _files(tables.open(name, before)) if before >= 0 else {}
    return sum(size for path, size in _files(tables.open(name, after)).items() if path not in old)


def _files(table: DeltaTable | None) -> dict[str, int]:
    if table is None:
        return {}
    files = table.get_add_actions(flatten=True)
    paths, sizes = (files.column(files.column_names.index(c)) for c in ("path", "size_bytes"))
    return dict(zip(paths.to_pylist(), sizes.to_pylist(), strict=True))


def _changed(metrics: Mapping[str, Any]) -> int:
    """Return how many rows a commit changed, by whichever engine it was made."""
    for words in (
        ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted"),
        ("num_target_rows_inserted", "num_target_rows_updated", "num_target_rows_deleted"),
        ("numOutputRows",),
        ("num_added_rows",),
    ):
        if words[0] in metrics:
            return sum(int(metrics.get(word, 0)) for word in words)
    return 0
