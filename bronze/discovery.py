"""Which landed files are pending, by name, size and hash, without a JVM: the log of captured files."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.runs.bookmarks import captured_batch
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from contracts.model.contract import Capture, Contract
    from lakehouse.settings import Settings

FILES = TableName("ops", "captured_files")


@dataclass(frozen=True)
class LandedFile:
    """One file in the landing folder; `path` is relative to the domain's landing folder."""

    capture: Capture
    path: str
    absolute: Path
    size: int
    modified_ns: int


@dataclass(frozen=True)
class Entry:
    """One row of the file log: what a batch was to do with one file.

    `planned` files are loaded once their batch is committed; the batch of `abandoned`
    files never was (the process died); the content of a `duplicate` is loaded under another name.
    """

    domain: str
    dataset: str
    batch: int
    path: str
    size: int
    modified_ns: int
    sha256: str
    status: Literal["planned", "abandoned", "duplicate"]
    reason: str = ""


class FileLog:
    """The log of a domain's files: those that were ever planned, and what became of them."""

    def __init__(self, tables: Tables, domain: str) -> None:
        """Read the log as it stands now."""
        self.tables, self.domain = tables, domain
        names = list(Entry.__dataclass_fields__)
        self.entries = [
            Entry(**{name: row[name] for name in names})
            for row in tables.rows(FILES)
            if row["domain"] == domain
        ]

    def completed(self, dataset: str, committed: int) -> list[Entry]:
        """Return the entries of completed files: loaded, or duplicates of loaded content.

        A duplicate counts only while a committed batch has its content: what a killed batch
        planned to load was never there, so its twin is no duplicate of anything.
        """
        dead = {e.batch for e in self.entries if e.dataset == dataset and e.status == "abandoned"}
        alive = [e for e in self.entries if e.dataset == dataset and e.batch not in dead]
        loaded = [e for e in alive if e.status == "planned" and e.batch <= committed]
        contents = {entry.sha256 for entry in loaded}
        twins = [e for e in alive if e.status == "duplicate" and e.sha256 in contents]
        return loaded + twins

    def abandon_unfinished(self, committed: Mapping[str, int]) -> None:
        """Abandon, in one commit, the batches that were planned by a process that died before its commit.

        `committed` is the last batch of each dataset that its bronze table has.
        """
        dead = {(e.dataset, e.batch) for e in self.entries if e.status == "abandoned"}
        unfinished = {
            (entry.dataset, entry.batch)
            for entry in self.entries
            if entry.status == "planned"
            and entry.dataset in committed
            and entry.batch > committed[entry.dataset]
        }
        self._abandon(sorted(unfinished - dead), "never committed")

    def since(self, batch: int) -> list[Entry]:
        """Return the entries of a batch and of all later ones, less the abandoned ones."""
        dead = {(e.dataset, e.batch) for e in self.entries if e.status == "abandoned"}
        return [
            entry
            for entry in self.entries
            if entry.batch >= batch and (entry.dataset, entry.batch) not in dead
        ]

    def abandon(self, batch: int, reason: str) -> None:
        """Abandon a batch and all later ones, so that the next capture loads their files again.

        Only for batches that the bronze tables no longer have.
        """
        self._abandon(sorted({(e.dataset, e.batch) for e in self.since(batch)}), reason)

    def _abandon(self, batches: Iterable[tuple[str, int]], reason: str) -> None:
        self.write(
            Entry(self.domain, dataset, number, "", 0, 0, "", "abandoned", reason)
            for dataset, number in batches
        )

    def write(self, entries: Iterable[Entry]) -> None:
        """Append entries in one commit."""
        now = datetime.now(UTC)
        rows = [{**asdict(entry), "at": now} for entry in entries]
        if rows:
            self.tables.append(FILES, _table(rows))
            self.entries.extend(
                Entry(**{k: v for k, v in row.items() if k != "at"}) for row in rows
            )


def _table(rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    texts = ("domain", "dataset", "path", "sha256", "status", "reason")
    numbers = ("batch", "size", "modified_ns")
    schema = pa.schema(
        [
            *[(name, pa.string()) for name in texts],
            *[(name, pa.int64()) for name in numbers],
            ("at", pa.timestamp("us", tz="UTC")),
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def bronze_table(contract: Contract) -> TableName:
    """Return the bronze table of a dataset."""
    return TableName.of("bronze", contract.domain, contract.dataset)


def landed_files(settings: Settings, contract: Contract) -> Iterator[LandedFile]:
    """Yield every file that belongs to a dataset, in name order; names in progress are skipped."""
    root = settings.landing / contract.domain
    for capture in contract.capture:
        for path in sorted(root.glob(capture.path)):
            if path.name.startswith((".", "_")) or path.name.endswith(".tmp") or not path.is_file():
                continue
            stat = path.stat()
            relative = str(path.relative_to(root))
            yield LandedFile(capture, relative, path, stat.st_size, stat.st_mtime_ns)


def pending_files(
    settings: Settings, contract: Contract, log: FileLog | None = None
) -> list[LandedFile]:
    """Return the files that were not there, or not like this, at the last capture."""
    tables = Tables.at(settings)
    log = log or FileLog(tables, contract.domain)
    completed = {
        (entry.path, entry.size, entry.modified_ns)
        for entry in log.completed(contract.dataset, captured_batch(tables, bronze_table(contract)))
    }
    return [
        file
        for file in landed_files(settings, contract)
        if (file.path, file.size, file.modified_ns) not in completed
    ]


def plan(
    contract: Contract, pending: list[LandedFile], log: FileLog, committed: int, batch: int
) -> list[Entry]:
    """Return what a batch is to do with pending files: load each content once, skip duplicates.

    A file is a duplicate where its SHA-256 is that of a loaded file, or of one planned before it.
    """
    loaded = {entry.sha256: entry.path for entry in log.completed(contract.dataset, committed)}
    entries = []
    for file in pending:
        digest = _sha256(file.absolute)
        twin = loaded.get(digest)
        entries.append(
            Entry(
                contract.domain,
                contract.dataset,
                batch,
                file.path,
                file.size,
                file.modified_ns,
                digest,
                "duplicate" if twin else "planned",
                f"same content as {twin}, which is loaded already" if twin else "",
            )
        )
        loaded.setdefault(digest, file.path)
    return entries


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
