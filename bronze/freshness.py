"""Freshness of sources: the last position of a batch, and which datasets are overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bronze.discovery import FILES
from lakehouse.engine.duckdb import connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.model.contract import Contract
    from lakehouse.storage.tables import TableName, Tables

# With more rows, operations are not counted: the snapshot of a source has only one.
COUNTED_ROWS = 1_000_000


@dataclass(frozen=True)
class Overdue:
    """A dataset of which no file came within its contract's service level."""

    dataset: str
    last: datetime | None
    promised: timedelta

    def __str__(self) -> str:
        """Return it as a sentence: since when, and what the contract promises."""
        since = f"since {self.last:%Y-%m-%d %H:%M} UTC" if self.last else "yet"
        hours = self.promised.total_seconds() / 3600
        return f"{self.dataset}: nothing came {since}; its contract promises files within {hours:g} hours"


def overdue(
    tables: Tables, contracts: Iterable[Contract], now: datetime | None = None
) -> list[Overdue]:
    """Return the overdue datasets of domains of which any file ever came.

    A file is due within the promised frequency and latency after the last one was captured.
    """
    captured: dict[tuple[str, str], datetime] = {}
    for row in tables.rows(FILES, ["domain", "dataset", "at"]):
        dataset = row["domain"], row["dataset"]
        captured[dataset] = max(row["at"], captured.get(dataset, row["at"]))
    started = {domain for domain, _ in captured}
    instant, late = now or datetime.now(UTC), []
    for contract in contracts:
        every = contract.service_level("frequency")
        if not contract.capture or every is None or contract.domain not in started:
            continue
        promised = every + (contract.service_level("latency") or timedelta(0))
        last = captured.get((contract.domain, contract.dataset))
        if last is None or instant - last > promised:
            late.append(Overdue(contract.dataset, last, promised))
    return late


def position_and_operations(
    tables: Tables, name: TableName, batch: int, rows: int
) -> tuple[str, str]:
    """Return the last position of a batch, and its rows by operation as `c 12, d 3, u 40`."""
    table = tables.open(name)
    if table is None or not rows or rows > COUNTED_ROWS:
        return "", ""
    with connection() as database:
        database.register("batch", table.scan(["_op", "_sequence"], predicate=f"_batch = {batch}"))
        counts = database.execute(
            "select coalesce(_op, '?'), count(*), max(_sequence) from batch group by 1 order by 1"
        ).fetchall()
    last = max((position for *_, position in counts if position), default="")
    return last, ", ".join(f"{operation} {count}" for operation, count, _ in counts)
