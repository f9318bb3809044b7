"""What silver has not read yet, known from table logs without a JVM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.runs.bookmarks import CAPTURE
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.storage.tables import Tables


def consumed_and_newest(tables: Tables, contract: Contract) -> tuple[int, int]:
    """Return the last bronze batch that silver holds and the newest there is, -1 for none."""
    assert contract.vault is not None
    bronze = TableName.of("bronze", contract.domain, contract.dataset)
    table = tables.open(bronze)
    newest = None if table is None else table.transaction_version(CAPTURE)
    events = TableName.of("silver", contract.domain, contract.vault.events)
    return tables.consumed(events, bronze), -1 if newest is None else newest


@dataclass(frozen=True)
class PendingRows:
    """The bronze rows after a batch, by the log's own statistics; None where it does not know.

    It does not where a compaction has put rows of older and newer batches into one file.
    """

    rows: int | None
    first_position: str | None


def pending_rows(tables: Tables, contract: Contract, consumed: int) -> PendingRows:
    """Return how many bronze rows came after a batch, and the least of their positions."""
    total, positions = 0, []
    for file in _file_statistics(tables, TableName.of("bronze", contract.domain, contract.dataset)):
        if file["num_records"] and file["max._batch"] > consumed:
            if file["min._batch"] <= consumed:
                return PendingRows(None, None)
            total += file["num_records"]
            positions.append(file.get("min._sequence"))
    known = [position for position in positions if position is not None]
    return PendingRows(total, min(known) if known and len(known) == len(positions) else None)


def pending_bytes(tables: Tables, contract: Contract) -> int:
    """Return the bytes of the bronze files that hold rows which silver has not read."""
    consumed, newest = consumed_and_newest(tables, contract)
    if consumed >= newest:
        return 0
    files = _file_statistics(tables, TableName.of("bronze", contract.domain, contract.dataset))
    return sum(
        file["size_bytes"]
        for file in files
        if file.get("max._batch") is None or file["max._batch"] > consumed
    )


def stored_until(tables: Tables, events: TableName) -> str | None:
    """Return the greatest position that an events table holds, None where it is empty."""
    found = [
        file["max._sequence"]
        for file in _file_statistics(tables, events)
        if file.get("max._sequence") is not None
    ]
    return max(found, default=None)


def _file_statistics(tables: Tables, name: TableName) -> list[dict[str, Any]]:
    table = tables.open(name)
    if table is None:
        return []
    found = table.get_add_actions(flatten=True)
    values = [found.column(place).to_pylist() for place in range(found.num_columns)]
    return [dict(zip(found.column_names, row, strict=True)) for row in zip(*values, strict=True)]
