"""The run ledger: what each run did to each table, in `ops` tables that any reader can open."""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import fcntl
import json
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, get_type_hints

from lakehouse.errors import ContractBreach, LakehouseError, Violation
from lakehouse.layers import BATCH, PLATINUM
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import pyarrow as pa

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

    `input` = `valid` + `quarantined` + `superseded`, always: a replay moves rows from one to another,
    so its `quarantined` is less than none and its `input` none. `seconds` is wall
    time, `bytes` what was written. Versions are Delta versions of the upstream table. Of a source
    `position` is how far it was read, `operations` the rows by operation.
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
    position: str = ""
    operations: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


_RUN_ROW = {
    "run": int, "domain": str, "status": str, "message": str, "seconds": float, "at": datetime,
}  # fmt: skip
ROLLED_BACK = "rolled back"


@dataclass(frozen=True)
class Origin:
    """The table versions when a run of a command began: a rollback of the run returns to them.

    `versions` are those of the domain's tables in the layers that the run may write, and in
    those fed by it; a table that is not among them did not exist.
    """

    command: str
    writes: tuple[str, ...]
    versions: dict[TableName, int]

    def to_json(self) -> str:
        """Return the origin as it is stored."""
        versions = {str(name): version for name, version in sorted(self.versions.items())}
        return json.dumps({"what": self.command, "writes": self.writes, "versions": versions})

    @classmethod
    def from_json(cls, text: str) -> Origin:
        """Return what was stored."""
        stored = json.loads(text)
        versions = {TableName.parse(name): number for name, number in stored["versions"].items()}
        return cls(stored["what"], tuple(stored["writes"]), versions)


def _table(rows: list[dict[str, Any]], kinds: dict[str, Any]) -> pa.Table:
    """Return rows as Arrow; the types come from the row's fields, never from the values."""
    import pyarrow as pa

    types = {int: pa.int64(), float: pa.float64(), str: pa.string(),
             datetime: pa.timestamp("us", tz="UTC")}  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([(n, types[k]) for n, k in kinds.items()]))


@dataclass
class Run:
    """One run of a domain; its steps are collected and written as each dataset is done.

    `breaches` stopped a dataset while the others went on; `warnings` stopped nothing.
    """

    number: int
    domain: str
    tables: Tables
    steps: list[Step] = field(default_factory=list[Step])
    written: int = 0
    started: float = field(default_factory=time.monotonic)
    note: str = ""
    breaches: list[ContractBreach] = field(default_factory=list[ContractBreach])
    warnings: list[Violation] = field(default_factory=list[Violation])
    _writing: Lock = field(default_factory=Lock, repr=False)

    def record(self, step: Step) -> Step:
        """Add a step to the run; raise LakehouseError where its counts do not add up."""
        if step.input != step.valid + step.quarantined + step.superseded:
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

    def mark(self, status: str, message: str = "", origin: Origin | None = None) -> None:
        """Write that the run started, and from where, is done or failed."""
        row = {
            "run": self.number,
            "domain": self.domain,
            "status": status,
            "message": message[:2000],
            "seconds": time.monotonic() - self.started,
            "at": datetime.now(UTC),
            "origin": "" if origin is None else origin.to_json(),
        }
        self.tables.append(RUNS, _table([row], _RUN_ROW | {"origin": str}))


@contextmanager
def _numbering(tables: Tables) -> Generator[None]:
    """Wait for the turn to take a number; on object storage one scheduler has to see to it."""
    if "://" in tables.warehouse:
        yield
        return
    folder = Path(tables.warehouse, "ops")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".numbering").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _course(row: dict[str, Any]) -> tuple[int, datetime]:
    """Return where a row stands in its run's course, also where a clock went back."""
    return {"started": 0, ROLLED_BACK: 2}.get(row["status"], 1), row["at"]


@dataclass(frozen=True)
class Ledger:
    """All runs of a warehouse."""

    tables: Tables

    def next_number(self) -> int:
        """Return the number of the next run: larger than every number that was ever started."""
        return 1 + max((row["run"] for row in self.tables.rows(RUNS, ["run"])), default=0)

    @contextmanager
    def run(
        self, domain: str, command: str = "run", writes: tuple[str, ...] = BATCH
    ) -> Generator[Run]:
        """Start a run; its end, good or bad, and all its steps are written when the block ends.

        Its first mark has the versions of the tables before it: a run that is killed later can be
        rolled back.
        """
        versions = self.tables.versions(domain, (*writes, PLATINUM))
        # Two domains, or a run and a stream, may start at once; a number is given once only.
        with _numbering(self.tables):
            run = Run(self.next_number(), domain, self.tables)
            run.mark("started", origin=Origin(command, writes, versions))
        try:
            yield run
        except BaseException as error:
            run.flush()
            run.mark("failed", f"{type(error).__name__}: {error}")
            raise
        run.flush()
        run.mark("done", run.note)

    def steps(self, domain: str | None = None, last: int | None = None) -> list[dict[str, Any]]:
        """Return the steps of all runs, or of the `last` ones, oldest first."""
        steps = self.tables.rows(STEPS)
        if domain:
            steps = [row for row in steps if row["domain"] == domain]
        if last:
            numbers = sorted({row["run"] for row in steps})[-last:]
            steps = [row for row in steps if row["run"] in numbers]
        return sorted(steps, key=lambda row: (row["run"], row["at"]))

    def runs(self, domain: str | None = None) -> list[dict[str, Any]]:
        """Return one row a run with its newest status, oldest first.

        A run that was killed keeps the status `started`.
        """
        latest: dict[int, dict[str, Any]] = {}
        for row in sorted(self.tables.rows(RUNS, list(_RUN_ROW)), key=_course):
            if domain in (None, row["domain"]):
                latest[row["run"]] = row
        return [latest[number] for number in sorted(latest)]

    def origins(self, domain: str) -> dict[int, Origin]:
        """Return the origin of each run of a domain that recorded one."""
        table = self.tables.open(RUNS)
        if table is None or "origin" not in {field.name for field in table.schema().fields}:
            return {}
        return {
            row["run"]: Origin.from_json(row["origin"])
            for row in self.tables.rows(RUNS, ["run", "domain", "origin"])
            if row["domain"] == domain and row["origin"]
        }

    def mark_rolled_back(self, runs: Iterable[dict[str, Any]], by: int) -> None:
        """Mark runs, as `runs` returns them, as rolled back by another run, in one commit."""
        fixed = {"status": ROLLED_BACK, "message": f"by run {by}", "at": datetime.now(UTC)}
        rows = [{**run, **fixed, "origin": ""} for run in runs]
        self.tables.append(RUNS, _table(rows, _RUN_ROW | {"origin": str}))
