"""The run ledger: what each run did to each table, in `ops` tables that any reader can open."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, get_type_hints

from lakehouse.errors import LakehouseError
from lakehouse.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = TableName("ops", "runs")
STEPS = TableName("ops", "run_steps")


def code_version() -> str:
    """Return the version of the installed project."""
    try:
        return version("medallion-lakehouse")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class Step:
    """One row: what one run did to one table in one step.

    `input` = `valid` + `quarantined` + `superseded` wherever a gate was passed; `seconds` is wall
    time, `bytes` what was written. Versions are Delta versions of the upstream table.
    """

    run: int
    domain: str
    layer: str
    table: str
    input: int = 0
    valid: int = 0
    quarantined: int = 0
    superseded: int = 0
    written: int = 0
    bytes: int = 0
    seconds: float = 0.0
    upstream: str = ""
    version_from: int = -1
    version_to: int = -1
    contract_version: str = ""
    code_version: str = field(default_factory=code_version)
    status: str = "done"
    message: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


_RUN_ROW = {
    "run": int, "domain": str, "status": str, "message": str, "seconds": float, "at": datetime,
}  # fmt: skip


def _table(rows: list[dict[str, Any]], kinds: dict[str, type]) -> Any:
    """Return rows as Arrow; the types come from the row's fields, never from the values."""
    import pyarrow as pa

    types = {int: pa.int64(), float: pa.float64(), str: pa.string(),
             datetime: pa.timestamp("us", tz="UTC")}  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([(n, types[k]) for n, k in kinds.items()]))


@dataclass
class Run:
    """One run of a domain; its steps are collected and written as each dataset is done."""

    number: int
    domain: str
    tables: Tables
    steps: list[Step] = field(default_factory=list)
    written: int = 0
    started: float = field(default_factory=time.monotonic)
    _writing: Lock = field(default_factory=Lock, repr=False)

    def record(self, step: Step) -> Step:
        """Keep a step, refusing one whose counts do not add up: no row vanishes in silence."""
        if step.input and step.input != step.valid + step.quarantined + step.superseded:
            raise LakehouseError(
                f"{step.table}: {step.input} rows came in, but {step.valid} valid + "
                f"{step.quarantined} quarantined + {step.superseded} superseded do not add up to it"
            )
        self.steps.append(step)
        return step

    def flush(self) -> None:
        """Write the steps that are not written yet, in one commit; threads may call it at once."""
        with self._writing:
            until = len(self.steps)
            rows = [asdict(step) for step in self.steps[self.written : until]]
            if rows:
                self.tables.append(STEPS, _table(rows, get_type_hints(Step)))
                self.written = until

    def mark(self, status: str, message: str = "") -> None:
        """Write that the run started, is done or failed."""
        row = {
            "run": self.number,
            "domain": self.domain,
            "status": status,
            "message": message[:2000],
            "seconds": time.monotonic() - self.started,
            "at": datetime.now(UTC),
        }
        self.tables.append(RUNS, _table([row], _RUN_ROW))


@contextmanager
def _numbering(tables: Tables) -> Iterator[None]:
    """Wait for the turn to take a number; on object storage one scheduler has to see to it."""
    if "://" in tables.warehouse:
        yield
        return
    folder = Path(tables.warehouse, "ops")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".numbering").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Ledger:
    """All runs of a warehouse."""

    tables: Tables

    def next_number(self) -> int:
        """Return the number of the next run: larger than every number that was ever started."""
        return 1 + max((row["run"] for row in self.tables.rows(RUNS, ["run"])), default=0)

    @contextmanager
    def run(self, domain: str) -> Iterator[Run]:
        """Start a run; its end, good or bad, and all its steps are written when the block ends."""
        # Two domains, or a run and a stream, may start at once; a number is given once only.
        with _numbering(self.tables):
            run = Run(self.next_number(), domain, self.tables)
            run.mark("started")
        try:
            yield run
        except BaseException as error:
            run.flush()
            run.mark("failed", f"{type(error).__name__}: {error}")
            raise
        run.flush()
        run.mark("done")

    def steps(self, domain: str | None = None, last: int | None = None) -> list[dict[str, Any]]:
        """Return the steps of all runs, or of the `last` ones, oldest first."""
        found = self.tables.rows(STEPS)
        if domain:
            found = [row for row in found if row["domain"] == domain]
        if last:
            numbers = sorted({row["run"] for row in found})[-last:]
            found = [row for row in found if row["run"] in numbers]
        return sorted(found, key=lambda row: (row["run"], row["at"]))

    def runs(self, domain: str | None = None) -> list[dict[str, Any]]:
        """Return one row a run with its last known status, oldest first.

        A run that was killed keeps the status `started`.
        """
        latest: dict[int, dict[str, Any]] = {}
        for row in sorted(self.tables.rows(RUNS), key=lambda row: row["at"]):
            if domain in (None, row["domain"]):
                latest[row["run"]] = row
        return [latest[number] for number in sorted(latest)]
