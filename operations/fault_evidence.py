"""Fault evidence: the rows, events and files that a fault manifest names, read from the tables.

Read without a JVM. Rows are looked up by position, so a large table is never kept in memory.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from contracts.sql import quoted
from lakehouse.engine.duckdb import connection
from lakehouse.quality.fault_manifest import digest, fingerprint
from lakehouse.quality.quarantine_rows import unsealed
from lakehouse.storage.table_log import row_count
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bronze.discovery import Entry
    from contracts.model.contract import Contract
    from lakehouse.quality.fault_manifest import Fault
    from lakehouse.quality.sealing import Seal

Row = dict[str, Any]


@dataclass
class StoredRows:
    """The rows of one dataset's tables at the positions that its faults name."""

    tables: Tables
    contract: Contract
    faults: list[Fault]
    contested: tuple[str, ...] = ()
    explained: set[int] = field(default_factory=set)
    seal: Seal | None = None

    @property
    def _events_name(self) -> TableName:
        assert self.contract.vault is not None
        return TableName.of("silver", self.contract.domain, self.contract.vault.events)

    def _name(self, layer: str, table: str) -> TableName:
        return TableName.of(layer, self.contract.domain, table)

    @cached_property
    def bronze(self) -> dict[str, list[Row]]:
        """Return the bronze rows at the positions, with the columns that the contract lacks."""
        unknown = {name for fault in self.faults for name in fault.unknown_columns or {}}
        return self._rows_at(self._name("bronze", self.contract.dataset), unknown)

    @cached_property
    def events(self) -> dict[str, list[Row]]:
        """Return the events at the positions, with their fingerprints as `content`."""
        return self._rows_at(self._events_name, {"_op", "_flags"}, self.contract.names)

    def _rows_at(
        self, name: TableName, columns: set[str], fingerprinted: tuple[str, ...] = ()
    ) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = defaultdict(list)
        table, places = self.tables.open(name), {f.position for f in self.faults if f.position}
        if table is None or not places:
            return rows
        stored = {column.name for column in table.schema().fields}
        shown = [quoted(column) for column in ("_sequence", *sorted(columns & stored))]
        if fingerprinted:
            shown.append(f"md5({fingerprint(fingerprinted)}) as content")
        listed = ", ".join(f"'{place}'" for place in sorted(places))
        with connection() as database:
            database.register("t", table.scan(predicate=f"_sequence in ({listed})"))
            for row in _rows(database.execute(f"select {', '.join(shown)} from t")):
                rows[row["_sequence"]].append(row)
        return rows

    @cached_property
    def quarantine(self) -> list[Row]:
        """Return every row that is still in quarantine, with the SHA-256 of an unreadable line."""
        table = self.tables.open(self._name("silver", f"{self.contract.dataset}_quarantine"))
        if table is None:
            return []
        with connection() as database:
            database.register("t", table.scan())
            query = """
                select "row", failures, _sequence, _source from t where status is distinct from 'replayed'
            """
            quarantined = database.sql(query).to_arrow_table()
        if self.contract.personal:
            assert self.seal is not None
            quarantined = unsealed(quarantined, self.contract, self.seal)
        rows = quarantined.to_pylist()
        for row in rows:
            values = dict(row["row"] or {})
            data = bytes.fromhex(values["_bytes"]) if "_bytes" in values else None
            text = values.get("_line")
            data = text.encode() if data is None and text is not None else data
            row["line"] = "" if data is None else hashlib.sha256(data).hexdigest()
            row["reasons"] = {(f["column"], f["rule"]) for f in row["failures"] or []}
        return rows

    def quarantined(self, fault: Fault) -> list[int]:
        """Return the numbers of the quarantined rows with a fault's position, or line, and reason."""
        return [
            number
            for number, row in enumerate(self.quarantine)
            if (row["line"] == fault.line if fault.line else row["_sequence"] == fault.position)
            and (fault.column, fault.rule) in row["reasons"]
        ]

    def history(self, key: dict[str, Any]) -> list[list[str]]:
        """Return position and operation of each event of a key, in the source's order."""
        table = self.tables.open(self._events_name)
        if table is None:
            return []
        same = " and ".join(f"{quoted(column)} = ${place}" for place, column in enumerate(key, 1))
        with connection() as database:
            database.register("t", table.scan(columns=["_sequence", "_op", *key]))
            query = f"select _sequence, _op from t where {same} order by _sequence"
            return [list(row) for row in database.execute(query, list(key.values())).fetchall()]

    def counts(self) -> dict[str, int]:
        """Return how many rows bronze, the events table and the quarantine have."""
        return {
            "input": self._count(self._name("bronze", self.contract.dataset)),
            "valid": self._count(self._events_name),
            "quarantined": len(self.quarantine),
        }

    def _count(self, name: TableName) -> int:
        table = self.tables.open(name)
        if table is None:
            return 0
        return row_count(table) or 0

    def digest(self) -> str:
        """Return the digest of the events, without those at contested positions."""
        table = self.tables.open(self._events_name)
        if table is None:
            return ""
        with connection() as database:
            database.register("t", table.scan(columns=["_sequence", "_op", *self.contract.names]))
            return digest(database, "t", self.contract.names, self.contested)[1]

    def has_row(self, expected: Row) -> bool:
        """Return whether a published table has exactly one row `where`, with the values of `has`."""
        from lakehouse.storage.publications import published

        name = TableName.parse(expected["table"])
        version = published(self.tables, self.contract.domain).get(name)
        table = self.tables.open(name, version)
        if table is None:
            return False
        same = " and ".join(f"{quoted(column)} = ?" for column in expected["where"])
        with connection() as database:
            database.register("t", table.scan(columns=[*expected["where"], *expected["has"]]))
            query = f"select * from t where {same}"
            rows = list(_rows(database.execute(query, list(expected["where"].values()))))
        return len(rows) == 1 and all(
            _text(rows[0][column]) == _text(value) for column, value in expected["has"].items()
        )


@dataclass(frozen=True)
class StoredFiles:
    """The loaded files of a domain, and the skipped ones, by SHA-256."""

    loaded: dict[str, list[Entry]]
    skipped: dict[str, list[Entry]]

    @classmethod
    def of(cls, tables: Tables, contracts: list[Contract]) -> StoredFiles:
        """Return the files by their status in the file log."""
        from bronze.discovery import FileLog, bronze_table
        from lakehouse.runs.bookmarks import captured_batch

        by: dict[str, dict[str, list[Entry]]] = {"planned": {}, "duplicate": {}}
        for contract in contracts:
            log = FileLog(tables, contract.domain)
            for entry in log.completed(
                contract.dataset, captured_batch(tables, bronze_table(contract))
            ):
                by[entry.status].setdefault(entry.sha256, []).append(entry)
        return cls(by["planned"], by["duplicate"])


def _rows(cursor: Any) -> Iterator[Row]:
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        yield dict(zip(names, row, strict=True))


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, (bytes, bytearray)) else str(value)
