"""One run of a domain: the layers in order, and the result.

Whether there is anything to do is decided in `pipeline.workload`, before a JVM is started.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bronze import capture, freshness
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach, UsageError
from lakehouse.layers import BATCH
from lakehouse.runs.contract_versions import refuse_older
from lakehouse.runs.ledger import Ledger, Run, Step
from lakehouse.runs.lock import lock_domain
from lakehouse.storage.tables import Tables
from pipeline import notify, workload
from silver import load as silver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspark.sql import SparkSession

    from contracts.model.contract import Contract
    from gold.dbt.project import Project
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class RunResult:
    """What one run did: its number (0 when there was nothing to do), its steps, its seconds.

    `overdue` lists the datasets whose last arrival is older than their contract's frequency.
    """

    domain: str
    run: int
    seconds: float
    steps: list[Step] = field(default_factory=list)
    overdue: tuple[str, ...] = ()

    @property
    def nothing_new(self) -> bool:
        """Return whether no layer had new input; then nothing was written either."""
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


def run_layers(
    settings: Settings,
    domain: str,
    layers: tuple[str, ...] = BATCH,
    progress: Callable[..., None] = lambda *_: None,
) -> RunResult:
    """Run the layers in order on their new input; return at once where there is none.

    Raises:
        ContractBreach: a dataset broke its contract; the others were processed all the same.
        ContractError: a contract has a mistake, or its version went back; nothing was written.
        DomainLocked: another run has locked the domain.
    """
    start = time.monotonic()
    contracts = load_domain(settings.contracts, domain)
    if workload.nothing_to_do(settings, domain, contracts, layers):
        late = _overdue(settings, contracts, layers)
        notify.notify_run(settings, domain, contracts, layers, late)
        overdue = tuple(map(str, late))
        return RunResult(domain, 0, time.monotonic() - start, overdue=overdue)
    with lock_domain(settings.home, domain, f"run {' '.join(layers)}"):
        if workload.nothing_to_do(settings, domain, contracts, layers):
            return RunResult(domain, 0, time.monotonic() - start)
        refuse_older(Tables.at(settings), domain, contracts)
        project = _boot(settings, domain, contracts, layers)
        with Ledger(Tables.at(settings)).run(domain) as run:
            for layer in layers:
                _layer(settings, contracts, layer, run, progress, project)
            late = _overdue(settings, contracts, layers)
            notify.notify_run(settings, domain, contracts, layers, late, run)
            if run.breaches:
                broken = [rule for breach in run.breaches for rule in breach.violations]
                raise ContractBreach("\n".join(map(str, run.breaches)), broken)
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
    """Run one layer; breaches that stopped datasets of it are added to the run's."""
    if layer == "bronze":
        captured = [contract for contract in contracts.values() if contract.capture]
        batches, breaches = capture.prepare(settings, captured, run)
        run.breaches += breaches
        if batches:
            capture.load(_spark(settings), settings, batches, run, progress)
    elif workload.is_pending(settings, run.domain, contracts, layer):
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
    """Build gold, except the models that depend on a stopped dataset."""
    from gold import build

    blocked = notify.blocked_tables(contracts, run.breaches)
    try:
        build.build(
            _spark(settings), settings, run.domain, run,
            progress=progress, blocked=blocked, project=project,
        )  # fmt: skip
    except ContractBreach as breach:
        run.breaches.append(breach)


def _boot(
    settings: Settings, domain: str, contracts: dict[str, Contract], layers: tuple[str, ...]
) -> Project | None:
    """Start the JVM while files are still being checked; return dbt's project, parsed ahead."""
    from lakehouse.engine.session import boot

    boot(settings, short=workload.is_small(settings, domain, contracts, layers))
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


def layers_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the named layers in the order of a run, or all of them if none is named.

    Raises UsageError for an unknown name.
    """
    wanted = set(names)
    if unknown := sorted(wanted.difference(BATCH)):
        raise UsageError(f"layer '{unknown[0]}' is none of {', '.join(BATCH)}")
    return tuple(layer for layer in BATCH if layer in wanted) or BATCH
