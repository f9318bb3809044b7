"""What the source says of its own rows: how many there are, and the digest of the good ones.

It is taken from the package's frames and the source's own changes, never from what a pipeline made
of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from domains.retail.faults_files import key_of
from domains.retail.frames import batches
from domains.retail.schemas import SCHEMAS
from lakehouse.embedded import connection
from lakehouse.fault_manifest import Expected, digest, fingerprint

if TYPE_CHECKING:
    from datetime import date

    from domains.retail.faults_files import Copy

_SNAPSHOT = f"'{0:019d}.0.{0:010d}'"
_DROP = f"lpad(cast(week as varchar), 19, '0') || '.0.{0:010d}'"
# The contract of products trims texts and reads an empty one as null.
_TRIMMED = ("products",)
# Its rows differ, all 21 million; those of others may repeat.
_DISTINCT = ("promotions",)


class Ledger:
    """The rows of every dataset as far as they have landed."""

    def __init__(self, scale: str) -> None:
        self.scale = scale
        self.sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.copies: dict[str, list[Copy]] = defaultdict(list)
        self.torn: dict[str, int] = defaultdict(int)
        self._events: dict[str, pa.Table] = {}

    def snapshot(self, dataset: str, last: date) -> None:
        """Count the rows of the history before the start."""
        self._rows(dataset, None, last)

    def drop(self, dataset: str, first: date, last: date) -> None:
        """Count the rows of the files that are dropped later."""
        self._rows(dataset, first, last)

    def _rows(self, dataset: str, first: date | None, last: date) -> None:
        place = _DROP if dataset in _DISTINCT else _SNAPSHOT
        each = "" if dataset in _DISTINCT else "distinct"
        for table in self._batches(dataset, first, last):
            with connection() as database:
                database.register("given", table)
                database.execute(
                    f"create view events as select {each} {place} as _sequence, 'r' as _op, "
                    f"{_values(dataset)} from given"
                )
                valid, total = digest(database, "events", SCHEMAS[dataset].names)
            self._count(dataset, table.num_rows, valid, int(total, 16))

    def _batches(self, dataset: str, first: date | None, last: date) -> list[pa.Table] | Any:
        found = batches(dataset, self.scale, first=first, last=last)
        # rows of different batches may repeat each other, unless all are distinct
        return found if dataset in _DISTINCT else [pa.concat_tables(found)]

    def _count(self, dataset: str, *more: int) -> None:
        self.sums[dataset] = [a + b for a, b in zip(self.sums[dataset], more, strict=True)]

    def add(self, dataset: str, copies: list[Copy], *, torn: bool) -> None:
        """Count the lines of a file, and the piece of one at its end."""
        self.copies[dataset] += copies
        self.torn[dataset] += torn

    def expected(self, dataset: str) -> Expected:
        """Return the counts and the digest of a dataset's rows."""
        copies, contested = self.copies[dataset], self._contested(dataset)
        rows, valid, total = self.sums[dataset]
        with connection() as database:
            database.register("given", self._table(dataset))
            database.execute(
                f"create view events as select _sequence, _op, {_values(dataset)} from given"
            )
            _, more = digest(database, "events", SCHEMAS[dataset].names, contested)
        bad = sum(copy.verdict == "bad" for copy in copies) + self.torn[dataset]
        good = len({copy.line.position for copy in copies if copy.verdict != "bad"})
        # of two that contradict each other one is valid
        told = [copy.line.position for copy in copies if copy.verdict == "contested"]
        bad += len(told) - len(set(told))
        rows += len(copies) + self.torn[dataset]
        return Expected(
            input=rows, valid=valid + good, quarantined=bad,
            superseded=rows - valid - good - bad, digest=f"{total + int(more, 16):x}",
            contested=tuple(sorted(contested)),
        )  # fmt: skip

    def _contested(self, dataset: str) -> set[str]:
        return {c.line.position for c in self.copies[dataset] if c.verdict == "contested"}

    def contents(self, dataset: str, position: str) -> tuple[str, ...]:
        """Return the fingerprints of the events at a place, none where none has landed."""
        found = self._fingerprints(dataset)
        rows = zip(*(found[name].to_pylist() for name in ("_sequence", "content")), strict=True)
        return tuple(sorted(content for place, content in rows if place == position))

    def _fingerprints(self, dataset: str) -> pa.Table:
        if dataset not in self._events:
            with connection() as database:
                database.register("given", self._table(dataset))
                self._events[dataset] = database.sql(
                    f"select _sequence, md5({fingerprint(SCHEMAS[dataset].names)}) as content from "
                    f"(select _sequence, _op, {_values(dataset)} from given)"
                ).to_arrow_table()
        return self._events[dataset]

    def history(self, dataset: str, key: tuple) -> list[list[str]]:
        """Return place and operation of each good event of a key that has landed, in order."""
        return [
            [place, op]
            for place, op in sorted(
                {
                    (copy.line.position, copy.line.change.op)
                    for copy in self.copies[dataset]
                    if copy.verdict != "bad" and key_of(copy.line) == key
                }
            )
        ]

    def _table(self, dataset: str) -> pa.Table:
        """Return one row a good event that has landed; a contested place has two."""
        schema = SCHEMAS[dataset]
        rows = {
            (copy.line.position, copy.line.text): {
                "_sequence": copy.line.position,
                "_op": copy.line.change.op,
                **{name: copy.line.change.row.get(name) for name in schema.names},
            }
            for copy in self.copies[dataset]
            if copy.verdict != "bad"
        }
        places = [pa.field("_sequence", pa.string()), pa.field("_op", pa.string())]
        return pa.Table.from_pylist(list(rows.values()), schema=pa.schema([*places, *schema]))


def _values(dataset: str) -> str:
    values = []
    for column in SCHEMAS[dataset]:
        text = pa.types.is_string(column.type)
        trimmed = f"nullif(trim({column.name}), '') as {column.name}"
        values.append(trimmed if text and dataset in _TRIMMED else column.name)
    return ", ".join(values)
