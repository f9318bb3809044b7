"""The plan of a rollback: which runs, tables, versions and files, from the ledger and Delta logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bronze.discovery import FileLog
from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.errors import UsageError
from lakehouse.layers import LAYERS, PLATINUM
from lakehouse.runs.bookmarks import consumed_batch
from lakehouse.runs.ledger import ROLLED_BACK, Ledger
from lakehouse.storage import restore
from lakehouse.storage.restore import ABSENT
from lakehouse.storage.table_log import row_count
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Origin
    from lakehouse.settings import Settings

# Verbs whose runs a rollback leaves: they changed no row, or rolled back others, or were paid for
KEPT_COMMANDS = ("rollback", "maintain", "enrich")
ORDER = LAYERS[::-1]


@dataclass(frozen=True)
class TableRollback:
    """One table with its version now and its target; rows are None where the log has no counts."""

    table: TableName
    version: int
    target: int
    rows: int | None
    rows_after: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain values."""
        return {
            "table": str(self.table),
            "version": self.version,
            "target": None if self.target == ABSENT else self.target,
            "rows": self.rows,
            "rows_after": self.rows_after,
        }


@dataclass(frozen=True)
class RollbackPlan:
    """The rollback of a run and of every later run that may have read what it wrote."""

    run: int
    domain: str
    runs: list[dict[str, Any]]
    tables_back: list[TableRollback]
    targets: dict[TableName, int]
    files_to_reload: list[str]
    files_missing: list[str]
    kept: dict[str, str]
    checkpoints: list[Path]
    publishes: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {
            "run": self.run,
            "domain": self.domain,
            "runs": self.runs,
            "tables": [table.to_dict() for table in self.tables_back],
            "files_to_reload": self.files_to_reload,
            "files_missing": self.files_missing,
            "kept": self.kept,
        }


def plan(settings: Settings, number: int) -> RollbackPlan:
    """Return what a rollback of a run would do; nothing is written.

    Raises:
        UsageError: there is no such run, or it cannot be rolled back.
        LakehouseError: the files of a target version were removed.
    """
    tables = Tables.at(settings)
    ledger = Ledger(tables)
    rows = {row["run"]: row for row in ledger.runs()}
    if number not in rows:
        last = ", ".join(map(str, list(rows)[-5:])) or "none yet"
        raise UsageError(f"no run {number}; the last ones are: {last}")
    domain = rows[number]["domain"]
    origins = ledger.origins(domain)
    _refuse(rows[number], origins.get(number))
    runs = _runs_to_roll_back(number, origins, rows)
    contracts = _contracts(settings, domain)
    targets = _target_versions(tables, domain, {run: origins[run] for run in runs}, contracts)
    tables_back = [
        _table_rollback(tables, name, target)
        for name, target in targets.items()
        if restore.differs(tables, name, target)
    ]
    carried = any("bronze" in origins[run].writes for run in runs)
    entries = FileLog(tables, domain).since(number) if carried else []
    files = sorted({entry.path for entry in entries if entry.path})
    touched = {table.table for table in tables_back}
    return RollbackPlan(
        run=number,
        domain=domain,
        runs=[{"command": origins[run].command, **rows[run]} for run in runs],
        tables_back=tables_back,
        targets=targets,
        files_to_reload=files,
        files_missing=[path for path in files if not (settings.landing / domain / path).exists()],
        kept=_kept_tables(tables, domain, origins[number], contracts),
        checkpoints=_checkpoints(settings, contracts, touched),
        publishes=carried,
    )


def _refuse(row: dict[str, Any], origin: Origin | None) -> None:
    number = row["run"]
    if row["status"] == ROLLED_BACK:
        raise UsageError(f"run {number} was rolled back already, {row['message']}")
    if origin is None:
        raise UsageError(
            f"run {number} cannot be rolled back: the ledger has no table versions from before it"
        )
    if origin.command in KEPT_COMMANDS:
        reasons = {
            "rollback": "the next `lakehouse run` repeats the runs that it rolled back",
            "maintain": "it changed no row",
            "enrich": "its inferences were paid for, and each is right for its text",
        }
        raise UsageError(
            f"run {number} ({origin.command}) is not rolled back: {reasons[origin.command]}"
        )


def _runs_to_roll_back(
    number: int, origins: dict[int, Origin], rows: dict[int, dict[str, Any]]
) -> list[int]:
    """Return the run and every later one that may have read what it wrote."""
    only_fed = origins[number].writes == (PLATINUM,)
    return [
        run
        for run, origin in sorted(origins.items())
        if run >= number
        and origin.command not in KEPT_COMMANDS
        and rows[run]["status"] != ROLLED_BACK
        and (not only_fed or origin.writes == (PLATINUM,))
    ]


def _contracts(settings: Settings, domain: str) -> dict[str, Contract]:
    has_contracts = domain in domains(settings.contracts)
    return load_domain(settings.contracts, domain) if has_contracts else {}


def _paid_for(domain: str, contracts: dict[str, Contract]) -> set[TableName]:
    """Return the tables of inference results, which a rollback keeps."""
    return {
        TableName.of(PLATINUM, domain, contract.enrich["table"])
        for contract in contracts.values()
        if contract.enrich
    }


def _target_versions(
    tables: Tables, domain: str, origins: dict[int, Origin], contracts: dict[str, Contract]
) -> dict[TableName, int]:
    """Return the target version of each table, in the order of restoring."""
    layers: dict[str, dict[TableName, int]] = {}
    for _, origin in sorted(origins.items()):
        for layer in (*origin.writes, PLATINUM):
            layers.setdefault(layer, origin.versions)
    kept = _paid_for(domain, contracts)
    names = [name for name in tables.names(domain) if name.layer in layers and name not in kept]
    names.sort(key=lambda name: (ORDER.index(name.layer), not _has_bookmark(tables, name), name))
    return {name: layers[name.layer].get(name, ABSENT) for name in names}


def _has_bookmark(tables: Tables, name: TableName) -> bool:
    """Return whether a table has the bookmark of what silver has read of bronze: restored first."""
    if name.layer != "silver" or name.table.endswith("_quarantine"):
        return False
    return any(
        upstream.layer == "bronze" and consumed_batch(tables, name, upstream) >= 0
        for upstream in tables.names(name.domain)
    )


def _table_rollback(tables: Tables, name: TableName, target: int) -> TableRollback:
    restore.require(tables, name, target)
    after = None if target == ABSENT else restore.open_version(tables, name, target)
    now = tables.open(name)
    return TableRollback(name, tables.version(name), target, row_count(now), row_count(after))


def _kept_tables(
    tables: Tables, domain: str, origin: Origin, contracts: dict[str, Contract]
) -> dict[str, str]:
    reason = "each inference is right for its text and was paid for"
    return {
        str(name): reason
        for name in sorted(_paid_for(domain, contracts))
        if tables.version(name) > origin.versions.get(name, ABSENT)
    }


def _checkpoints(
    settings: Settings, contracts: dict[str, Contract], touched: set[TableName]
) -> list[Path]:
    """Return the checkpoints of streams whose scores are rolled back."""
    from platinum.scoring.outcome import Stream

    streams = [Stream.of(settings, c, contracts) for c in contracts.values() if c.score]
    return [stream.checkpoint for stream in streams if stream.scores in touched]
