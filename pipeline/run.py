"""The order in which a run walks the layers, and what it returns."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bronze import capture, discovery, freshness
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach, UsageError
from lakehouse.layers import BATCH
from lakehouse.runs.contract_versions import refuse_older
from lakehouse.runs.ledger import Ledger, Run, Step
from lakehouse.runs.lock import exclusive
from lakehouse.storage.tables import Tables
from pipeline import notify
from silver import load as silver
from silver import pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspark.sql import SparkSession

    from contracts.model.contract import Contract
    from gold.dbt.project import Project
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class RunResult:
    """What one run did: its number (0 when there was nothing to do), its steps, its seconds.

    `overdue` says of which datasets nothing came for longer than promised.
    """

    domain: str
    run: int
    seconds: float
    steps: list[Step] = field(default_factory=list)
    overdue: tuple[str, ...] = ()

    @property
    def nothing_new(self) -> bool:
        """Return whether there was nothing to carry; then nothing was written either."""
        return self.run == 0

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        steps = [{**asdict(step), "at": step.at.isoformat()} for step in self.steps]
        return {
            "domain": self.domain,
            "run": self.run,
            "nothing_new": self.nothing_new,
            "seconds": round(self.seconds, 3),
            "overdue": list(self.overdue),
            "steps": steps,
        }


def is_pending(settings: Settings, domain: str, contracts: dict[str, Contract], layer: str) -> bool:
    """Return whether a layer has anything to carry, from file names and table logs, without a JVM."""
    tables = Tables.at(settings)
    if layer == "bronze":
        log = discovery.FileLog(tables, domain)
        return any(
            discovery.pending_files(settings, c, log) for c in contracts.values() if c.capture
        )
    if layer == "silver":
        vaulted = [c for c in contracts.values() if c.vault is not None]
        return any(
            consumed < newest
            for consumed, newest in (pending.consumed_and_newest(tables, c) for c in vaulted)
        )
    from gold import build

    return build.pending(settings, domain)


def carry(
    settings: Settings,
    domain: str,
    layers: tuple[str, ...] = BATCH,
    progress: Callable[..., None] = lambda *_: None,
) -> RunResult:
    """Carry what is new through the layers, in order; return at once where nothing is.

    Raises:
        ContractBreach: a dataset broke its contract; the others were carried all the same.
        ContractError: a contract has a mistake, or its version went back; nothing was carried.
        Busy: another run holds the domain.
    """
    start = time.monotonic()
    contracts = load_domain(settings.contracts, domain)
    if not any(is_pending(settings, domain, contracts, layer) for layer in layers):
        late = _overdue(settings, contracts, layers)
        notify.report(settings, domain, contracts, layers, late)
        overdue = tuple(map(str, late))
        return RunResult(domain, 0, time.monotonic() - start, overdue=overdue)
    with exclusive(settings.home, domain, f"run {' '.join(layers)}"):
        if not any(is_pending(settings, domain, contracts, layer) for layer in layers):
            return RunResult(domain, 0, time.monotonic() - start)
        refuse_older(Tables.at(settings), domain, contracts)
        project = _boot(settings, domain, contracts, layers)
        with Ledger(Tables.at(settings)).run(domain) as run:
            for layer in layers:
                _layer(settings, contracts, layer, run, progress, project)
            late = _overdue(settings, contracts, layers)
            notify.report(settings, domain, contracts, layers, late, run)
            if run.breaches:
                found = [each for breach in run.breaches for each in breach.found]
                raise ContractBreach("\n".join(map(str, run.breaches)), found)
    overdue = tuple(map(str, late))
    return RunResult(domain, run.number, time.monotonic() - start, run.steps, overdue)


def _overdue(
    settings: Settings, contracts: dict[str, Contract], layers: tuple[str, ...]
) -> list[freshness.Overdue]:
    if "bronze" not in layers:
        return []
    return freshness.overdue(Tables.at(settings), contracts.values())


def _layer(
    settings: Settings,
    contracts: dict[str, Contract],
    layer: str,
    run: Run,
    progress: Callable[..., None],
    project: Project | None,
) -> None:
    """Carry one layer; what stopped datasets of it is added to the run's breaches."""
    if layer == "bronze":
        captured = [contract for contract in contracts.values() if contract.capture]
        works, breaches = capture.prepare(settings, captured, run)
        run.breaches += breaches
        if works:
            capture.load(_spark(settings), settings, works, run, progress)
    elif is_pending(settings, run.domain, contracts, layer):
        if layer == "silver":
            silver.load(_spark(settings), settings, contracts.values(), run, progress)
        else:
            _gold(settings, contracts, run, progress, project)
    run.flush()


def _gold(
    settings: Settings,
    contracts: dict[str, Contract],
    run: Run,
    progress: Callable[..., None],
    project: Project | None,
) -> None:
    """Build gold, less what depends on a dataset that is stopped."""
    from gold import build

    held = notify.held(contracts, run.breaches)
    try:
        build.build(
            _spark(settings), settings, run.domain, run,
            progress=progress, held=held, project=project,
        )  # fmt: skip
    except ContractBreach as breach:
        run.breaches.append(breach)


def _boot(
    settings: Settings, domain: str, contracts: dict[str, Contract], layers: tuple[str, ...]
) -> Project | None:
    """Start the JVM while files are still being checked, and parse what dbt will build."""
    from lakehouse.engine.session import boot
    from pipeline.workload import is_little

    boot(settings, short=is_little(settings, domain, contracts, layers))
    if "gold" not in layers:
        return None
    from gold.dbt.project import Project

    project = Project(settings, domain)
    if project.exists:
        project.parse_ahead()
    return project


def _spark(settings: Settings) -> SparkSession:
    from lakehouse.engine.session import spark

    return spark(settings)


def layers_of(asked: Iterable[str]) -> tuple[str, ...]:
    """Return the layers that are asked for, in the order of the flow, or all if none is.

    Raises UsageError for a name that is none.
    """
    wanted = set(asked)
    if unknown := sorted(wanted.difference(BATCH)):
        raise UsageError(f"layer '{unknown[0]}' is none of {', '.join(BATCH)}")
    return tuple(layer for layer in BATCH if layer in wanted) or BATCH
