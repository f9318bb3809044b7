"""One line is one row change in the Debezium envelope, placed in the source's total order.

The shape is that of Debezium 3.6 for PostgreSQL with `decimal.handling.mode=string` and
`time.precision.mode=isostring`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

REAL = "real"
SYNTHETIC = "synthetic"
# Debezium hands a change on a little after its commit; the replay has one fixed delay.
_CAPTURE_DELAY_MS = 180
_COMMIT_BYTES = 48

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One row change: the row before and after it, as far as the source logs them."""

    dataset: str
    op: str
    before: Row | None
    after: Row | None
    origin: str

    @property
    def row(self) -> Row:
        """Return the row the change is about: as it is after, or as it was before it went."""
        return self.after or self.before or {}


@dataclass(frozen=True)
class Commit:
    """One committed transaction of the source.

    `torn` means its lines were cut while written; `skew` is how far the clock is off that stamps it.
    """

    at: datetime
    changes: tuple[Change, ...]
    torn: bool = False
    skew: timedelta = timedelta()


@dataclass(frozen=True)
class Line:
    """One line of the log as it is written, its change, and its place in the order."""

    change: Change
    text: str
    position: str
    torn: bool = False

    @property
    def data(self) -> bytes:
        """Return the line as it is written; a text may hold bytes that are no UTF-8."""
        return self.text.encode(errors="surrogateescape")


@dataclass
class Log:
    """The place in the source's log: grows with every change, over all datasets and days."""

    lsn: int = 30_729_312
    tx: int = 728

    def lines(self, commits: Iterable[Commit]) -> Iterator[Line]:
        """Yield a line for every change, in commit order."""
        for commit in commits:
            previous_end, seen = self.lsn, dict[str, int]()
            for order, change in enumerate(commit.changes, start=1):
                seen[change.dataset] = seen.get(change.dataset, 0) + 1
                line = self._line(commit, change, previous_end, order, seen[change.dataset])
                text = line[: len(line) * 2 // 3] if commit.torn else line
                yield Line(change, text, f"{previous_end:019d}.1.{order:010d}", commit.torn)
            self.lsn += _COMMIT_BYTES
            self.tx += 1

    def _line(
        self, commit: Commit, change: Change, previous_end: int, order: int, own_order: int
    ) -> str:
        images = (_image(change.before), _image(change.after))
        # A write-ahead log record is as long as what it holds, rounded up to 8 bytes.
        self.lsn += 56 + -(-len(json.dumps(images)) // 8) * 8
        commit_ms = int((commit.at + commit.skew).timestamp() * 1000)
        envelope = {
            "before": images[0],
            "after": images[1],
            "op": change.op,
            "ts_ms": commit_ms + _CAPTURE_DELAY_MS,
            "_origin": change.origin,
            "source": {
                "connector": "postgresql",
                "db": "retail",
                "schema": "shop",
                "table": change.dataset,
                "txId": self.tx,
                "lsn": self.lsn,
                "sequence": json.dumps([str(previous_end), str(self.lsn)], separators=(",", ":")),
                "ts_ms": commit_ms,
                "snapshot": "false",
            },
            "transaction": {
                "id": f"{self.tx}:{self.lsn}",
                "total_order": order,
                "data_collection_order": own_order,
            },
        }
        return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)


def _image(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return f"{value.isoformat()}Z"
    if isinstance(value, Decimal):
        return str(value)
    return value
