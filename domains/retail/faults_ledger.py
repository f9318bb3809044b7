"""The source's own count of its rows, and the digest of the good ones.

It is taken from the package's frames and the source's own changes, never from what a pipeline made
of them.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from domains.retail.faults_files import key_of
from domains.retail.frames import batches
from domains.retail.schemas import SCHEMAS
from lakehouse.engine.duckdb import connection
from lakehouse.quality.fault_manifest import Expected, digest, fingerprint

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
        self._contents: dict[str, dict[str, list[str]]] = {}

    def snapshot(self, dataset: str, last: date) -> None:
        """Count the rows of the history before the start."""
        self._rows(dataset, None, last)

    def drop(self, dataset: str, first: date, last: date) -> None:
        """Count the rows of the files that are dropped later."""
        self._rows(dataset, first, last)

    def _rows(self, dataset: str, first: date | None, last: date) -> None:
        more = _frame_sums(dataset, self.scale, first, last)
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
        bad = sum(copy.state == "bad" for copy in copies) + self.torn[dataset]
        good = len({copy.line.position for copy in copies if copy.state != "bad"})
        # of two that contradict each other one is valid
        places = [copy.line.position for copy in copies if copy.state == "contested"]
        bad += len(places) - len(set(places))
        rows += len(copies) + self.torn[dataset]
        return Expected(
            input=rows, valid=valid + good, quarantined=bad,
            superseded=rows - valid - good - bad, digest=f"{total + int(more, 16):x}",
            contested=tuple(sorted(contested)),
        )  # fmt: skip

    def _contested(self, dataset: str) -> set[str]:
        return {c.line.position for c in self.copies[dataset] if c.state == "contested"}

    def contents(self, dataset: str, position: str) -> tuple[str, ...]:
        """Return the fingerprints of the events at a place, none where none has landed."""
        if dataset not in self._contents:
            self._contents[dataset] = self._fingerprints(dataset)
        return tuple(sorted(self._contents[dataset].get(position, ())))

    def _fingerprints(self, dataset: str) -> dict[str, list[str]]:
        contents = defaultdict[str, list[str]](list)
        with connection() as database:
            database.register("given", self._table(dataset))
            rows = database.execute(
                f"select _sequence, md5({fingerprint(SCHEMAS[dataset].names)}) from "
                f"(select _sequence, _op, {_values(dataset)} from given)"
            ).fetchall()
        for place, content in rows:
            contents[place].append(content)
        return contents

    def history(self, dataset: str, key: tuple) -> list[list[str]]:
        """Return place and operation of each good event of a key that has landed, in order."""
        return [
            [place, op]
            for place, op in sorted(
                {
                    (copy.line.position, copy.line.change.op)
                    for copy in self.copies[dataset]
                    if copy.state != "bad" and key_of(copy.line) == key
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
            if copy.state != "bad"
        }
        places = [pa.field("_sequence", pa.string()), pa.field("_op", pa.string())]
        return pa.Table.from_pylist(list(rows.values()), schema=pa.schema([*places, *schema]))


@lru_cache(maxsize=64)
def _frame_sums(dataset: str, scale: str, first: date | None, last: date) -> tuple[int, int, int]:
    """Return rows, distinct rows and digest of the rows that were landed as Parquet."""
    distinct = dataset in _DISTINCT
    place, quantifier = (_DROP, "") if distinct else (_SNAPSHOT, "distinct")
    tables = batches(dataset, scale, first=first, last=last)
    sums = (0, 0, 0)
    # rows of different batches may repeat each other, unless all are distinct
    for table in tables if distinct else [pa.concat_tables(tables)]:
        with connection() as database:
            database.register("given", table)
            database.execute(
                f"create view events as select {quantifier} {place} as _sequence, 'r' as _op, "
                f"{_values(dataset)} from given"
            )
            valid, total = digest(database, "events", SCHEMAS[dataset].names)
        sums = (sums[0] + table.num_rows, sums[1] + valid, sums[2] + int(total, 16))
    return sums


def _values(dataset: str) -> str:
    values = []
    for column in SCHEMAS[dataset]:
        text = pa.types.is_string(column.type)
        trimmed = f"nullif(trim({column.name}), '') as {column.name}"
        values.append(trimmed if text and dataset in _TRIMMED else column.name)
    return ", ".join(values)
