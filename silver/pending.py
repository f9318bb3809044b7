"""Pending bronze rows, from table logs without a JVM: whether silver has anything to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.runs.bookmarks import captured_batch, consumed_batch
from lakehouse.storage.table_log import file_statistics
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.storage.tables import Tables


def consumed_and_newest(tables: Tables, contract: Contract) -> tuple[int, int]:
    """Return the bookmark of silver, the last bronze batch it has read, and the newest; -1 for none.

    Where they are equal there is nothing to do.
    """
    assert contract.vault is not None
    bronze = TableName.of("bronze", contract.domain, contract.dataset)
    events = TableName.of("silver", contract.domain, contract.vault.events)
    return consumed_batch(tables, events, bronze), captured_batch(tables, bronze)


@dataclass(frozen=True)
class PendingRows:
    """The bronze rows after a batch, by the log's own statistics; None where these do not suffice.

    They do not where a compaction has put rows of older and newer batches into one file.
    """

    rows: int | None
    first_position: str | None


def pending_rows(tables: Tables, contract: Contract, consumed: int) -> PendingRows:
    """Return how many bronze rows came after a batch, and the least of their positions."""
    bronze = TableName.of("bronze", contract.domain, contract.dataset)
    total, positions = 0, []
    for file in file_statistics(tables.open(bronze)):
        if file["num_records"] and file["max._batch"] > consumed:
            if file["min._batch"] <= consumed:
                return PendingRows(None, None)
            total += file["num_records"]
            positions.append(file.get("min._sequence"))
    first = None if not positions or None in positions else min(positions)
    return PendingRows(total, first)


def pending_bytes(tables: Tables, contract: Contract) -> int:
    """Return the bytes of the bronze files with rows that silver has not read."""
    consumed, newest = consumed_and_newest(tables, contract)
    if consumed >= newest:
        return 0
    bronze = TableName.of("bronze", contract.domain, contract.dataset)
    files = file_statistics(tables.open(bronze))
    return sum(
        file["size_bytes"]
        for file in files
        if file.get("max._batch") is None or file["max._batch"] > consumed
    )
