"""Puts a table back to an earlier version, its rows and its bookmarks in one commit. No JVM.

A restore of Delta brings back rows and columns, but not the `txn` actions that say how far an
upstream was read: those are replayed from the log, where the last one of an application holds. So
the commit that restores the rows also writes each bookmark as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltalake import CommitProperties, Transaction

from lakehouse.errors import LakehouseError

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
        LakehouseError: the version cannot be read any more, or holds deletion vectors.
    """
    table = tables.open(name)
    if table is None:
        return ABSENT
    then = None if target == ABSENT else at(tables, name, target)
    places = {
        app: _place(then, app) for app in bookmarks if table.transaction_version(app) is not None
    }
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


def at(tables: Tables, name: TableName, version: int) -> DeltaTable:
    """Return a table at a version; raise LakehouseError where the version is gone."""
    try:
        found = tables.open(name, version)
    except Exception as error:  # noqa: BLE001 - delta-rs has no one error for a log that was cleaned up
        raise LakehouseError(f"{name}: version {version} is not there any more: {error}") from None
    if found is None:
        raise LakehouseError(f"{name}: version {version} is not there any more")
    return found


def differs(tables: Tables, name: TableName, target: int) -> bool:
    """Return whether a table holds other rows or columns than at a version, by files and log."""
    table = tables.open(name)
    then = None if target == ABSENT else at(tables, name, target)
    if table is None or _same(table, then):
        return False
    return then is None or not quiet_since(tables, name, target)


def quiet_since(tables: Tables, name: TableName, version: int) -> bool:
    """Return whether every commit after a version left the rows as they were."""
    table = tables.open(name)
    assert table is not None
    later = table.version() - version
    return later == 0 or all(commit.get("operation") in QUIET for commit in table.history(later))


def require(tables: Tables, name: TableName, target: int) -> None:
    """Raise LakehouseError unless a table can go back to a version: before any of them does."""
    table = tables.open(name)
    if table is None:
        return
    _refuse_vectors(name, table)
    needed = set() if target == ABSENT else files(at(tables, name, target))
    gone = [path for path in sorted(needed) if not Path(tables.path(name), unquote(path)).exists()]
    if gone and "://" not in tables.warehouse:
        raise LakehouseError(
            f"{name}: {len(gone)} of {len(needed)} files of version {target} are not there any more, "
            f"the first is {gone[0]}: nothing was undone"
        )


def rows(table: DeltaTable | None) -> int | None:
    """Return how many rows a version holds by its log, None where that does not tell."""
    if table is None:
        return 0
    actions = table.get_add_actions(flatten=True)
    if "num_records" not in actions.column_names:
        return None if actions.num_rows else 0
    counts = actions.column(actions.column_names.index("num_records")).to_pylist()
    return None if None in counts else sum(counts)


def files(table: DeltaTable | None) -> set[str]:
    """Return the paths of the files that a version consists of."""
    if table is None:
        return set()
    actions = table.get_add_actions(flatten=True)
    return set(actions.column(actions.column_names.index("path")).to_pylist())


def _place(table: DeltaTable | None, application: str) -> int:
    seen = None if table is None else table.transaction_version(application)
    return ABSENT if seen is None else seen


def _same(table: DeltaTable, then: DeltaTable | None) -> bool:
    if files(table) != files(then):
        return False
    # nothing is left to differ in a table without files that was not there before
    return then is None or table.schema().to_json() == then.schema().to_json()


def _refuse_vectors(name: TableName, table: DeltaTable) -> None:
    if "deletionVectors" in (table.protocol().reader_features or []):
        raise LakehouseError(
            f"{name} has deletion vectors, which delta-rs does not restore: switch them off with "
            "`alter table ... set tblproperties ('delta.enableDeletionVectors' = false)` and purge "
            "them with `reorg table ... apply (purge)`"
        )
