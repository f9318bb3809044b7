"""What a table's own log says of it, without a JVM: how much it holds, since when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arro3.core import Table
    from deltalake import DeltaTable


def position(each: DeltaTable) -> int:
    """Return what a reader has seen of a table when it is up to date: its last batch, or version."""
    from lakehouse.runs.bookmarks import CAPTURE

    batch = each.transaction_version(CAPTURE)
    return each.version() if batch is None else batch


def contents(each: DeltaTable) -> tuple[int | None, int, int]:
    """Return (rows, files, bytes) of a table from its log; rows are None where it does not say."""
    actions = each.get_add_actions(flatten=True)
    files, total = actions.num_rows, sum(actions["size_bytes"].to_pylist())
    if "num_records" not in actions.column_names:
        return (0 if not files else None), files, total
    counts = actions["num_records"].to_pylist()
    if any(count is None for count in counts):
        return None, files, total
    rows = sum(counts)
    if "deletionVectors" in (each.protocol().reader_features or []):
        for batch in each.deletion_vectors():
            kept = batch["selection_vector"].to_pylist()
            rows -= sum(mask.count(False) for mask in kept)
    return rows, files, total


def committed_at(each: DeltaTable) -> datetime | None:
    """Return when a table's newest version was written, None where its log does not say."""
    newest = each.history(1)
    stamp = newest[0].get("timestamp") if newest else None
    return None if stamp is None else datetime.fromtimestamp(stamp / 1000, UTC)


def by_status(each: DeltaTable) -> dict[str, int]:
    """Return how many rows of a quarantine table are open, replayed and expired."""
    found: dict[str, int] = dict.fromkeys(("open", "replayed", "expired"), 0)
    for batch in each.scan(columns=["status"]):
        for status in batch["status"].to_pylist():
            found[status] += 1
    return found


def dictionaries(found: Table) -> list[dict[str, Any]]:
    """Return one dictionary a row.

    Not through pyarrow: where it reads another library's table, or an instant, it imports pandas,
    which costs a short command more than everything else together.
    """
    columns = [column.to_pylist() for column in found.columns]
    return [dict(zip(found.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
