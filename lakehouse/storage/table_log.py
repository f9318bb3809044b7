"""Reads the Delta log of a table, without a JVM: rows, files, bytes, statistics, bookmarks, times.

Every question about a log is answered here; other modules call these functions and never read
delta-rs's own tables of add actions or commits.
"""

# arro3, into which delta-rs reads, has partial types
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deltalake import DeltaTable

    from lakehouse.storage.tables import TableName, Tables

# What a commit counts as changed rows: delta-spark and delta-rs name the metrics differently
_METRICS = (
    ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted"),
    ("num_target_rows_inserted", "num_target_rows_updated", "num_target_rows_deleted"),
    ("numOutputRows",),
    ("num_added_rows",),
)


@dataclass(frozen=True)
class TableSize:
    """What a version of a table holds; `rows` is None where the log has no row counts."""

    rows: int | None
    files: int
    bytes: int


@dataclass(frozen=True)
class Written:
    """What one or several commits wrote: the version they end at, changed rows, added bytes."""

    version: int
    rows: int
    bytes: int


def file_count(table: DeltaTable | None) -> int:
    """Return how many files a version consists of."""
    return 0 if table is None else table.get_add_actions().num_rows


def file_statistics(table: DeltaTable | None) -> list[dict[str, Any]]:
    """Return one dictionary a file: `path`, `size_bytes`, `num_records`, and its statistics.

    They are `min.<column>`, `max.<column>` and `null_count.<column>` of the columns that have any,
    and `partition.<column>`.
    """
    if table is None:
        return []
    actions = table.get_add_actions(flatten=True)
    columns: list[list[Any]] = [
        list(actions.column(place).to_pylist()) for place in range(actions.num_columns)
    ]
    return [dict(zip(actions.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def file_sizes(table: DeltaTable | None) -> dict[str, int]:
    """Return the bytes of each file of a version, by path."""
    paths, sizes = _column(table, "path"), _column(table, "size_bytes")
    return dict(zip(paths or [], sizes or [], strict=True))


def table_size(table: DeltaTable) -> TableSize:
    """Return rows, files and bytes of a version; rows in deletion vectors do not count."""
    sizes = _column(table, "size_bytes") or []
    return TableSize(row_count(table), len(sizes), sum(sizes))


def row_count(table: DeltaTable | None) -> int | None:
    """Return how many rows a version holds, None where its log has no row counts."""
    if table is None:
        return 0
    counts = _column(table, "num_records")
    if counts is None:
        return None if file_count(table) else 0
    if None in counts:
        return None
    rows = sum(counts)
    if has_deletion_vectors(table):
        for batch in table.deletion_vectors():
            masks: list[list[bool]] = list(batch["selection_vector"].to_pylist())
            rows -= sum(mask.count(False) for mask in masks)
    return rows


def has_deletion_vectors(table: DeltaTable) -> bool:
    """Return whether rows may be deleted without their file being written again."""
    return "deletionVectors" in (table.protocol().reader_features or [])


def bookmark(table: DeltaTable | None, application: str) -> int | None:
    """Return the number that an application committed last, None where there is none.

    That is Delta's `txn` action, which an append writes as its idempotency key. What the numbers
    mean, and who commits them, stands in `lakehouse.runs.bookmarks`.
    """
    return None if table is None else table.transaction_version(application)


def committed_at(table: DeltaTable) -> datetime | None:
    """Return when a table's newest version was written, None where its log has no time."""
    newest = table.history(1)
    stamp = newest[0].get("timestamp") if newest else None
    return None if stamp is None else datetime.fromtimestamp(stamp / 1000, UTC)


def commits_after(table: DeltaTable, version: int) -> list[dict[str, Any]]:
    """Return the commits after a version, the newest first, as delta-rs describes them."""
    later = table.version() - version
    return table.history(later) if later > 0 else []


def written_between(tables: Tables, name: TableName, before: int, after: int) -> Written:
    """Return what the commits after one version and up to another wrote.

    Rows are those a commit reports as inserted, updated or deleted; a file that a merge copied with
    a changed row counts in bytes, not in rows.
    """
    table = tables.open(name, after) if after > before else None
    if table is None:
        return Written(before, 0, 0)
    commits = commits_after(table, before)
    rows = sum(_changed_rows(commit.get("operationMetrics") or {}) for commit in commits)
    return Written(after, rows, bytes_added(tables, name, before, after))


def bytes_added(tables: Tables, name: TableName, before: int, after: int | None = None) -> int:
    """Return the bytes of the files that one version has and an earlier one had not."""
    old = file_sizes(tables.open(name, before)) if before >= 0 else {}
    new = file_sizes(tables.open(name, after))
    return sum(size for path, size in new.items() if path not in old)


def _column(table: DeltaTable | None, name: str) -> list[Any] | None:
    """Return one column of the add actions, None where no file has it."""
    if table is None:
        return None
    actions = table.get_add_actions(flatten=True)
    if name not in actions.column_names:
        return None
    return list(actions.column(actions.column_names.index(name)).to_pylist())


def _changed_rows(metrics: Mapping[str, Any]) -> int:
    """Return how many rows a commit changed, by whichever engine it was made."""
    for names in _METRICS:
        if names[0] in metrics:
            return sum(int(metrics.get(name, 0)) for name in names)
    return 0
