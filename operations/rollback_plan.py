"""What a rollback of a run would do, found from the ledger and the logs of the tables."""

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

# Runs that changed no row, or only undid others
NOT_UNDONE = ("rollback", "maintain", "enrich")
ORDER = LAYERS[::-1]


@dataclass(frozen=True)
class Return:
    """One table on its way back; rows are None where the log does not tell."""

    table: TableName
    version: int
    target: int
    rows: int | None
    rows_then: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the way back as plain values."""
        return {
            "table": str(self.table),
            "version": self.version,
            "back_to": None if self.target == ABSENT else self.target,
            "rows": self.rows,
            "rows_then": self.rows_then,
        }


@dataclass(frozen=True)
class Plan:
    """What undoing a run, and all that may have read what it wrote, comes to."""

    run: int
    domain: str
    undone: list[dict[str, Any]]
    returns: list[Return]
    targets: dict[TableName, int]
    reloads: list[str]
    gone: list[str]
    left_alone: dict[str, str]
    checkpoints: list[Path]
    publishes: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {
            "run": self.run,
            "domain": self.domain,
            "undone": self.undone,
            "tables": [each.to_dict() for each in self.returns],
            "files_to_load_again": self.reloads,
            "files_gone": self.gone,
            "left_alone": self.left_alone,
        }


def plan(settings: Settings, number: int) -> Plan:
    """Return what a rollback of a run would do; nothing is written.

    Raises:
        UsageError: there is no such run, or none that can be undone.
        LakehouseError: a version that is needed was cleaned up.
    """
    tables = Tables.at(settings)
    ledger = Ledger(tables)
    rows = {row["run"]: row for row in ledger.runs()}
    if number not in rows:
        known = ", ".join(str(each) for each in list(rows)[-5:]) or "none yet"
        raise UsageError(f"no run {number}; the last ones are: {known}")
    domain = rows[number]["domain"]
    origins = ledger.origins(domain)
    _refuse(rows[number], origins.get(number))
    undone = _undone(number, origins, rows)
    contracts = _contracts(settings, domain)
    targets = _targets(tables, domain, {run: origins[run] for run in undone}, contracts)
    returns = [
        _return(tables, name, target)
        for name, target in targets.items()
        if restore.differs(tables, name, target)
    ]
    carried = any("bronze" in origins[run].writes for run in undone)
    entries = FileLog(tables, domain).since(number) if carried else []
    files = sorted({entry.path for entry in entries if entry.path})
    touched = {each.table for each in returns}
    return Plan(
        run=number,
        domain=domain,
        undone=[{"what": origins[run].command, **rows[run]} for run in undone],
        returns=returns,
        targets=targets,
        reloads=files,
        gone=[path for path in files if not (settings.landing / domain / path).exists()],
        left_alone=_left_alone(tables, domain, origins[number], contracts),
        checkpoints=_checkpoints(settings, contracts, touched),
        publishes=carried,
    )


def _refuse(row: dict[str, Any], origin: Origin | None) -> None:
    number = row["run"]
    if row["status"] == ROLLED_BACK:
        raise UsageError(f"run {number} was rolled back already, {row['message']}")
    if origin is None:
        raise UsageError(f"run {number} did not note the versions it found: it cannot be undone")
    if origin.command in NOT_UNDONE:
        reasons = {
            "rollback": "the next `lakehouse run` does again what it undid",
            "maintain": "it changed no row",
            "enrich": "its answers were paid for, and each is right for its text",
        }
        raise UsageError(
            f"run {number} ({origin.command}) is not undone: {reasons[origin.command]}"
        )


def _undone(number: int, origins: dict[int, Origin], rows: dict[int, dict[str, Any]]) -> list[int]:
    """Return the run and every later one that may have read what it wrote."""
    only_fed = origins[number].writes == (PLATINUM,)
    return [
        run
        for run, origin in sorted(origins.items())
        if run >= number
        and origin.command not in NOT_UNDONE
        and rows[run]["status"] != ROLLED_BACK
        and (not only_fed or origin.writes == (PLATINUM,))
    ]


def _contracts(settings: Settings, domain: str) -> dict[str, Contract]:
    known = domain in domains(settings.contracts)
    return load_domain(settings.contracts, domain) if known else {}


def _kept(domain: str, contracts: dict[str, Contract]) -> set[TableName]:
    """Return the tables of answers that were paid for."""
    return {
        TableName.of(PLATINUM, domain, contract.enrich["table"])
        for contract in contracts.values()
        if contract.enrich
    }


def _targets(
    tables: Tables, domain: str, origins: dict[int, Origin], contracts: dict[str, Contract]
) -> dict[TableName, int]:
    """Return the version each table goes back to, in the order in which they go."""
    layers: dict[str, dict[TableName, int]] = {}
    for _, origin in sorted(origins.items()):
        for layer in (*origin.writes, PLATINUM):
            layers.setdefault(layer, origin.versions)
    kept = _kept(domain, contracts)
    found = [name for name in tables.names(domain) if name.layer in layers and name not in kept]
    found.sort(key=lambda name: (ORDER.index(name.layer), not _has_place(tables, name), name))
    return {name: layers[name.layer].get(name, ABSENT) for name in found}


def _has_place(tables: Tables, name: TableName) -> bool:
    """Return whether a table's place in bronze decides what silver loads: those go back first."""
    if name.layer != "silver" or name.table.endswith("_quarantine"):
        return False
    return any(
        upstream.layer == "bronze" and consumed_batch(tables, name, upstream) >= 0
        for upstream in tables.names(name.domain)
    )


def _return(tables: Tables, name: TableName, target: int) -> Return:
    restore.require(tables, name, target)
    then = None if target == ABSENT else restore.open_version(tables, name, target)
    now = tables.open(name)
    return Return(name, tables.version(name), target, row_count(now), row_count(then))


def _left_alone(
    tables: Tables, domain: str, origin: Origin, contracts: dict[str, Contract]
) -> dict[str, str]:
    why = "each answer is right for its text and was paid for"
    return {
        str(name): why
        for name in sorted(_kept(domain, contracts))
        if tables.version(name) > origin.versions.get(name, ABSENT)
    }


def _checkpoints(
    settings: Settings, contracts: dict[str, Contract], touched: set[TableName]
) -> list[Path]:
    """Return the checkpoints of streams whose scores go back."""
    from platinum.scoring.outcome import Stream

    streams = [Stream.of(settings, c, contracts) for c in contracts.values() if c.score]
    return [stream.checkpoint for stream in streams if stream.scores in touched]
