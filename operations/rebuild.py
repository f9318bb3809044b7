"""Rebuilds a slice of silver, or a whole table of silver or gold, and the gold that reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from gold import build, publish
from gold.dbt.project import Project
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.quality.sealing import Seal
from lakehouse.runs.bookmarks import CAPTURE
from lakehouse.runs.ledger import Ledger, Run
from lakehouse.runs.lock import lock_domain
from lakehouse.storage.catalog import vault_views
from lakehouse.storage.restore import ABSENT, restore
from lakehouse.storage.table_log import row_count
from lakehouse.storage.tables import TableName, Tables
from operations.query import check_condition
from pipeline.workload import is_pending

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings
    from silver.rebuild import RebuiltSlice

SLICE, RELOAD, FULL = "slice", "reload", "full"
MODES = {
    SLICE: "the keys of the slice are rebuilt from bronze, with all their events",
    RELOAD: "all rows are loaded again from bronze",
    FULL: "rebuilt as a whole: gold cannot be rebuilt by slices",
}
GOLD_MODES = {
    True: "the keys of the slice are rebuilt",
    False: "rebuilt as a whole: rows that change or go leave no trace in silver",
}


@dataclass(frozen=True)
class RebuildPlan:
    """The rebuild of a table or slice: how it is done, and which tables of gold follow."""

    table: TableName
    where: str
    mode: str
    version: int
    rows: int | None
    differs: dict[str, int]
    dependants: list[TableName]
    incremental: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {
            "table": str(self.table),
            "where": self.where,
            "mode": self.mode,
            "how": MODES[self.mode],
            "version": self.version,
            "rows": self.rows,
            **self.differs,
            "dependants": [str(name) for name in self.dependants],
            "dependants_how": GOLD_MODES[self.incremental],
        }


@dataclass(frozen=True)
class Subject:
    """The table to rebuild: the events of a contract in silver, or a stored model of gold."""

    settings: Settings
    tables: Tables
    table: TableName
    contract: Contract | None

    @property
    def read_as(self) -> list[TableName]:
        """Return the table and the views over it: the names by which gold reads it."""
        views = vault_views(self.settings, self.table.domain)
        names = {self.table.table}
        for _ in range(2):  # a view may read a view
            names |= {view for view, (_, needed) in views.items() if names & set(needed)}
        return sorted(TableName(self.table.layer, name) for name in names)


def subject(settings: Settings, text: str) -> Subject:
    """Return the subject of a rebuild by its table's name; raise UsageError where there is none."""
    tables, name = Tables.at(settings), TableName.parse(text)
    if not tables.exists(name):
        raise UsageError(f"no table {name}; `lakehouse status` lists what there is")
    contracts = _contracts(settings, name.domain)
    for contract in contracts.values():
        events = contract.vault and TableName.of("silver", name.domain, contract.vault.events)
        if name == events:
            return Subject(settings, tables, name, contract)
    if name.layer == "gold" and name in Project(settings, name.domain).tables().values():
        return Subject(settings, tables, name, None)
    raise UsageError(
        f"{name} is not rebuilt: name a table of events in silver (a satellite) or a model of gold"
    )


def _contracts(settings: Settings, domain: str) -> dict[str, Contract]:
    has_contracts = domain in domains(settings.contracts)
    return load_domain(settings.contracts, domain) if has_contracts else {}


def plan(settings: Settings, text: str, where: str = "") -> RebuildPlan:
    """Return what a rebuild would do; nothing is written.

    Raises:
        UsageError: no such table, or no condition on it.
        LakehouseError: silver or gold has pending input, which would be mixed with the rebuilt rows.
    """
    check_condition(where)
    chosen = subject(settings, text)
    _refuse_pending(chosen)
    return _plan(chosen, where)[0]


def _refuse_pending(chosen: Subject) -> None:
    settings, domain = chosen.settings, chosen.table.domain
    contracts = _contracts(settings, domain)
    for layer in ("silver", "gold"):
        if is_pending(settings, domain, contracts, layer):
            raise LakehouseError(
                f"{layer} has pending input, which must not be mixed with rebuilt rows: "
                f"`lakehouse run {domain}` first"
            )


def _plan(chosen: Subject, where: str) -> tuple[RebuildPlan, RebuiltSlice | None]:
    tables, name = chosen.tables, chosen.table
    now = tables.open(name)
    assert now is not None
    rebuilt, mode, differs = None, FULL, {}
    if chosen.contract is not None:
        mode = SLICE if where else RELOAD
        if where:
            rebuilt = _derived(chosen, where, Run(0, name.domain, tables))
            counts = ("stored", "added", "changed", "removed")
            differs = {count: getattr(rebuilt, count) for count in counts}
    project = Project(chosen.settings, name.domain)
    dependants = project.dependants(chosen.read_as) if project.exists else []
    incremental = rebuilt is not None and rebuilt.only_adds
    rebuild_plan = RebuildPlan(
        name, where, mode, now.version(), row_count(now), differs, dependants, incremental
    )
    return rebuild_plan, rebuilt


def _derived(chosen: Subject, where: str, run: Run, *, repair: bool = False) -> RebuiltSlice:
    from lakehouse.engine.session import spark
    from silver.rebuild import derive

    return derive(spark(chosen.settings), _batch(chosen, run), where, repair=repair)


def _batch(chosen: Subject, run: Run) -> Any:
    from silver.batch import Batch
    from silver.pending import consumed_and_newest

    assert chosen.contract is not None
    consumed, newest = consumed_and_newest(chosen.tables, chosen.contract)
    seal = Seal.at(chosen.settings) if chosen.contract.personal else None
    return Batch(
        chosen.contract, run, chosen.tables, consumed, newest, enforce_rules=False, seal=seal
    )


def rebuild(
    settings: Settings,
    text: str,
    where: str = "",
    progress: Callable[..., None] = lambda *_: None,
) -> dict[str, Any]:
    """Rebuild a slice, or a whole table, and the gold that reads it; return what was done."""
    from lakehouse.engine.session import boot, spark

    check_condition(where)
    boot(settings)
    domain = TableName.parse(text).domain
    with lock_domain(settings.home, domain, f"rebuild {text}"):
        chosen = subject(settings, text)
        _refuse_pending(chosen)
        progress(f"{chosen.table}: comparing with bronze")
        with Ledger(chosen.tables).run(domain, "rebuild") as run:
            rebuilt = _rebuild_silver(chosen, where, run, progress)
            if chosen.contract is None:
                publish.forget_code(chosen.tables, domain, run.number)
            incremental = rebuilt is not None and rebuilt.only_adds
            build.build(
                spark(settings), settings, domain, run, progress=progress,
                rebuilt=[] if incremental else chosen.read_as,
            )  # fmt: skip
            run.note = f"rebuilt {chosen.table}" + (f" where {where}" if where else "")
    steps = [
        {"table": step.table, "written": step.written, "message": step.message}
        for step in run.steps
    ]
    return {"run": run.number, "table": text, "where": where, "steps": steps}


def _rebuild_silver(
    chosen: Subject, where: str, run: Run, progress: Callable[..., None]
) -> RebuiltSlice | None:
    """Rebuild the table of events; return the slice's differences, None for a whole table or gold."""
    from lakehouse.engine.session import spark
    from silver import load
    from silver.rebuild import write
    from silver.type_widening import follow

    if chosen.contract is None:
        return None
    if where:
        follow(spark(chosen.settings), _batch(chosen, run))
        rebuilt = _derived(chosen, where, run, repair=True)
        if not rebuilt.only_adds:
            publish.forget_code(chosen.tables, run.domain, run.number)
        write(_batch(chosen, run), rebuilt)
        run.flush()
        return rebuilt
    publish.forget_code(chosen.tables, run.domain, run.number)
    batch = _batch(chosen, run)
    bookmarks = [CAPTURE, str(batch.bronze)]
    for name in (batch.events, batch.quarantine):
        restore(chosen.tables, name, ABSENT, bookmarks)
    load.load(
        spark(chosen.settings),
        chosen.settings,
        [chosen.contract],
        run,
        progress,
        enforce_rules=False,
    )
    return None
