"""Compaction and clean-up of one table: fewer files, no expired ones, a short log. No JVM.

Every version that stood at any moment of the retention window stays: to be read as it was, and to
return to. Nothing here changes a row, and a reader of changes has nothing to read in its commits.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltalake import WriterProperties

from lakehouse.storage.table_log import file_count, file_statistics, has_deletion_vectors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deltalake import DeltaTable

    from lakehouse.storage.tables import TableName, Tables

# A partition with so many files below so many bytes is worth writing again.
FEW, SMALL, TARGET = 8, 32_000_000, 128_000_000
# To open each version costs some 25 ms; of more, only what commits removed is cleaned up.
OPENED = 500
RETENTION = ("delta.logRetentionDuration", "delta.deletedFileRetentionDuration")


@dataclass(frozen=True)
class Window:
    """The versions of a table that have to stay: those since an instant, and those from `streamed` on.

    `streamed` is the version at which a stream stands that reads the table's log, None without one.
    """

    days: int
    now: datetime
    streamed: int | None = None

    def floor(self, tables: Tables, name: TableName) -> int:
        """Return the oldest version that has to stay: the one that stood when the window began."""
        begins = self.now - timedelta(days=self.days)
        written = {
            int(path.stem): datetime.fromtimestamp(path.stat().st_mtime, UTC)
            for path in _log(tables, name).glob("*.json")
            if path.stem.isdigit()
        }
        older = [version for version, at in written.items() if at <= begins]
        floor = max(older, default=min(written))
        return floor if self.streamed is None else max(min(floor, self.streamed), min(written))


@dataclass(frozen=True)
class Survey:
    """The maintenance that one table needs; `kept_why` is why small files are not merged."""

    table: TableName
    version: int
    files: int
    small_files: int
    small_bytes: int
    expired_files: list[str]
    expired_bytes: int
    log_files: int
    log_bytes: int
    sets_retention: bool
    kept_why: str = ""

    @property
    def idle(self) -> bool:
        """Return whether there is nothing to do."""
        return not (self.small_files or self.expired_files or self.log_files or self.sets_retention)

    def to_dict(self) -> dict[str, Any]:
        """Return the survey as plain values."""
        return {
            "table": str(self.table),
            "files": self.files,
            "files_to_merge": self.small_files,
            "bytes_to_merge": self.small_bytes,
            "files_to_remove": len(self.expired_files),
            "bytes_to_remove": self.expired_bytes,
            "log_files_to_remove": self.log_files,
            "log_bytes_to_remove": self.log_bytes,
            "sets_retention": self.sets_retention,
            "not_merged": self.kept_why,
        }


def survey(tables: Tables, name: TableName, window: Window, kept_why: str = "") -> Survey:
    """Return the maintenance that a table needs; nothing is written."""
    table = tables.open(name)
    assert table is not None
    small = _small(table)
    kept_why = kept_why if small else ""
    expired = _vacuum(table, tables, name, window, dry_run=True)
    _, old = _old_log(tables, name, window)
    folder = Path(tables.path(name))
    sizes = [path.stat().st_size for file in expired if (path := folder / file).is_file()]
    return Survey(
        table=name,
        version=table.version(),
        files=file_count(table),
        small_files=0 if kept_why else len(small),
        small_bytes=0 if kept_why else sum(small),
        expired_files=expired,
        expired_bytes=sum(sizes),
        log_files=len(old),
        log_bytes=sum(path.stat().st_size for path in old),
        sets_retention=_retention(table) != _wanted(window),
        kept_why=kept_why,
    )


def maintain(tables: Tables, needed: Survey, window: Window) -> int:
    """Compact and clean up a table; return its newest version, whose rows are the same."""
    name = needed.table
    table = tables.open(name)
    assert table is not None
    if needed.sets_retention:
        # first, since checkpoints forget removed files by it
        table.alter.set_table_properties(_wanted(window))
    if needed.small_files:
        table.optimize.compact(
            target_size=TARGET,
            max_concurrent_tasks=2,
            writer_properties=WriterProperties(compression="ZSTD"),
        )
    if needed.expired_files:
        _vacuum(table, tables, name, window, dry_run=False)
    if needed.log_files:
        _shorten_log(tables, name, window)
    return tables.version(name)


def _small(table: DeltaTable) -> list[int]:
    """Return the sizes of the files that are worth merging."""
    if has_deletion_vectors(table):
        return []
    by_partition: dict[str, list[int]] = defaultdict(list)
    for file in file_statistics(table):
        if file["size_bytes"] < SMALL:
            partition = {key: file[key] for key in file if key.startswith("partition.")}
            by_partition[repr(partition)].append(file["size_bytes"])
    return [size for sizes in by_partition.values() if len(sizes) >= FEW for size in sizes]


def _vacuum(
    table: DeltaTable, tables: Tables, name: TableName, window: Window, *, dry_run: bool
) -> list[str]:
    """Remove files that only older versions need; return their names.

    The files of every retained version are named, so that no clock decides about them; files that
    no version has, left by a write that was killed, go when they are old enough.
    """
    versions = list(range(window.floor(tables, name), table.version() + 1))
    all_versions = len(versions) <= OPENED
    removed = table.vacuum(
        retention_hours=window.days * 24,
        dry_run=dry_run,
        enforce_retention_duration=False,
        full=all_versions,
        keep_versions=versions if all_versions else None,
    )
    for file in [] if dry_run else removed:
        path = Path(tables.path(name), file)
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)  # Spark's, beside its files
    return removed


def _log(tables: Tables, name: TableName) -> Path:
    return Path(tables.path(name), "_delta_log")


def _old_log(tables: Tables, name: TableName, window: Window) -> tuple[int, list[Path]]:
    """Return the oldest version to stay, and the files of the log that only older ones need."""
    floor = window.floor(tables, name)
    numbered = [(path, path.name.lstrip(".")[:20]) for path in _log(tables, name).iterdir()]
    return floor, [path for path, text in numbered if text.isdigit() and int(text) < floor]


def _shorten_log(tables: Tables, name: TableName, window: Window) -> None:
    """Remove the log before the window, once its first version can be read without it."""
    floor, old = _old_log(tables, name, window)
    first = tables.open(name, floor)
    assert first is not None
    first.create_checkpoint()
    if not any(_log(tables, name).glob(f"{floor:020}.checkpoint*.parquet")):
        return
    # the oldest first: killed in between, what is left has no gap
    for path in sorted(old):
        path.unlink(missing_ok=True)


def _wanted(window: Window) -> dict[str, str]:
    return dict.fromkeys(RETENTION, f"interval {window.days} days")


def _retention(table: DeltaTable) -> dict[str, str | None]:
    configuration = table.metadata().configuration
    return {key: configuration.get(key) for key in RETENTION}


def streamed_version(checkpoint: Path) -> int | None:
    """Return the version of its source at which a stream stands, None before its first batch."""
    import json

    offsets = [path for path in checkpoint.glob("offsets/*") if path.name.isdigit()]
    if not offsets:
        return None
    newest = max(offsets, key=lambda path: int(path.name))
    lines: Iterable[str] = newest.read_text(encoding="utf-8").splitlines()
    offsets_read = [json.loads(line) for line in lines if line.startswith("{")]
    versions = [
        offset["reservoirVersion"] for offset in offsets_read if "reservoirVersion" in offset
    ]
    return min(versions, default=None)
