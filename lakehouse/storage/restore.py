"""Puts a table back to an earlier version, its rows and its bookmarks in one commit. No JVM.

A restore of Delta brings back rows and columns, but not the `txn` actions, the bookmarks of how far an
upstream was read: those are replayed from the log, where the last one of an application counts. So
the commit that restores the rows also writes each bookmark as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltalake import CommitProperties, Transaction

from lakehouse.errors import LakehouseError
from lakehouse.storage.table_log import (
    bookmark,
    commits_after,
    file_sizes,
    has_deletion_vectors,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deltalake import DeltaTable

    from lakehouse.storage.tables import TableName, Tables

# The version of a table before its first one
ABSENT = -1
# Commits after which a table has the same rows
QUIET = {"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"}


def restore(tables: Tables, name: TableName, target: int, bookmarks: Iterable[str]) -> int:
    """Put a table back to a version; return the newest version, the same where nothing differed.

    `bookmarks` are the applications that may have left one. A table that was not there at the
    target (`ABSENT`) is left without rows and bookmarks, so that the next run fills it from the
    start.

    Raises:
        LakehouseError: the version cannot be read any more, or has deletion vectors.
    """
    table = tables.open(name)
    if table is None:
        return ABSENT
    then = None if target == ABSENT else open_version(tables, name, target)
    places = {app: _place(then, app) for app in bookmarks if bookmark(table, app) is not None}
    moved = {app: place for app, place in places.items() if place != _place(table, app)}
    if not moved and not differs(tables, name, target):
        return table.version()
    _refuse_vectors(name, table)
    properties = CommitProperties(
        app_transactions=[Transaction(app, place) for app, place in sorted(moved.items())]
    )
    if then is None:
        table.delete(commit_properties=properties)
    else:
        table.restore(target, commit_properties=properties)
    return tables.version(name)


def open_version(tables: Tables, name: TableName, version: int) -> DeltaTable:
    """Return a table at a version; raise LakehouseError where the version is gone."""
    try:
        table = tables.open(name, version)
    except Exception as error:  # noqa: BLE001 - delta-rs has no one error for a log that was cleaned up
        raise LakehouseError(f"{name}: version {version} is not there any more: {error}") from None
    if table is None:
        raise LakehouseError(f"{name}: version {version} is not there any more")
    return table


def differs(tables: Tables, name: TableName, target: int) -> bool:
    """Return whether rows or columns of a table differ from those of a version, by files and log."""
    table = tables.open(name)
    then = None if target == ABSENT else open_version(tables, name, target)
    if table is None or _same(table, then):
        return False
    return then is None or not is_unchanged_since(tables, name, target)


def is_unchanged_since(tables: Tables, name: TableName, version: int) -> bool:
    """Return whether every commit after a version left the rows as they were."""
    table = tables.open(name)
    assert table is not None
    return all(commit.get("operation") in QUIET for commit in commits_after(table, version))


def require(tables: Tables, name: TableName, target: int) -> None:
    """Raise LakehouseError unless a table can go back to a version: before any of them does."""
    table = tables.open(name)
    if table is None:
        return
    _refuse_vectors(name, table)
    needed = [] if target == ABSENT else list(file_sizes(open_version(tables, name, target)))
    gone = [path for path in sorted(needed) if not Path(tables.path(name), unquote(path)).exists()]
    if gone and "://" not in tables.warehouse:
        raise LakehouseError(
            f"{name}: {len(gone)} of {len(needed)} files of version {target} are not there any more, "
            f"the first is {gone[0]}: nothing was rolled back"
        )


def _place(table: DeltaTable | None, application: str) -> int:
    number = bookmark(table, application)
    return ABSENT if number is None else number


def _same(table: DeltaTable, then: DeltaTable | None) -> bool:
    if file_sizes(table).keys() != file_sizes(then).keys():
        return False
    # nothing is left to differ in a table without files that was not there before
    return then is None or table.schema().to_json() == then.schema().to_json()


def _refuse_vectors(name: TableName, table: DeltaTable) -> None:
    if has_deletion_vectors(table):
        raise LakehouseError(
            f"{name} has deletion vectors, which delta-rs does not restore: switch them off with "
            "`alter table ... set tblproperties ('delta.enableDeletionVectors' = false)` and purge "
            "them with `reorg table ... apply (purge)`"
        )
