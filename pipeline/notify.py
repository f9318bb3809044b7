"""Notifies the owners of datasets of broken contracts and failed tasks, and of recovery.

`lakehouse.alerts.router` decides which notices are due and sends them to the contract's channels.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contracts.parsing.load import load_domain
from lakehouse.alerts import router
from lakehouse.errors import ContractBreach, Violation
from lakehouse.settings import settings as process_settings
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bronze.freshness import Overdue
    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings

log = logging.getLogger("lakehouse.alerts")


def notify_run(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    layers: tuple[str, ...],
    late: Iterable[Overdue],
    run: Run | None = None,
) -> None:
    """Notify owners of a run's breaches, warnings, overdue datasets and of what is resolved.

    Without a run (there was nothing to do) only overdue datasets and open alerts are looked at.
    """
    breaches = [] if run is None else run.breaches
    broken = [rule for breach in breaches for rule in breach.violations]
    broken += [] if run is None else run.warnings
    broken += [_overdue(domain, dataset) for dataset in late]
    stopped = {rule.layer for rule in broken if rule.severity == "error"}
    # Where datasets are blocked, gold was not audited as a whole.
    audited = [layer for layer in layers if layer != "gold" or not stopped & {"bronze", "silver"}]
    if not broken and not router.has_open_alerts(settings, domain):
        return
    try:
        router.notify(
            settings, domain, contracts, broken,
            checked_layers=audited, processed=_processed(contracts, run), run=run.number if run else 0,
        )  # fmt: skip
    except Exception:
        # The data is right or stopped, whether or not a notice arrives; the breach is raised anyway.
        log.exception("%s: no notice of the run could be sent", domain)


@contextmanager
def notify_breach(settings: Settings, domain: str, layer: str) -> Iterator[None]:
    """Notify owners of a breach that ends the block, or of recovery; raise the breach all the same."""
    contracts = load_domain(settings.contracts, domain)
    try:
        yield
    except ContractBreach as breach:
        router.notify(settings, domain, contracts, breach.violations, checked_layers=[layer])
        raise
    if router.has_open_alerts(settings, domain):
        router.notify(settings, domain, contracts, [], checked_layers=[layer])


def notify_failure(domain: str, layer: str, message: str) -> None:
    """Notify a domain's owners that a scheduled task failed for good, once.

    A breach was reported by the run itself.
    """
    try:
        settings = process_settings()
        router.notify_failure(
            settings, domain, load_domain(settings.contracts, domain), layer, message
        )
    except Exception:
        log.exception("%s: no notice of the failure of %s could be sent", domain, layer)


def notify_recovery(domain: str, layer: str) -> None:
    """Notify a domain's owners that a scheduled task works again, if its failure was reported."""
    try:
        settings = process_settings()
        contracts = load_domain(settings.contracts, domain)
        router.notify(settings, domain, contracts, [], checked_layers=[layer])
    except Exception:
        log.exception("%s: no notice of the recovery of %s could be sent", domain, layer)


def blocked_tables(
    contracts: Mapping[str, Contract], breaches: Iterable[ContractBreach]
) -> list[TableName]:
    """Return the tables of silver on which nothing is built while their dataset is stopped."""
    stopped = {rule.dataset for breach in breaches for rule in breach.violations}
    return [
        name
        for contract in contracts.values()
        if contract.dataset in stopped
        for name in _tables_of(contract)
    ]


def _tables_of(contract: Contract) -> list[TableName]:
    """Return the tables and views of silver that only one dataset feeds; hubs are shared."""
    if contract.vault is None:
        return []
    table = contract.vault.events
    names = [table, f"{table}_history", f"{table}_current"]
    names += [f"lnk_{contract.vault.link}"] if contract.vault.link else []
    return [TableName.of("silver", contract.domain, name) for name in dict.fromkeys(names)]


def _overdue(domain: str, late: Overdue) -> Violation:
    return Violation(
        late.dataset, "bronze", router.FREQUENCY, str(late),
        table=str(TableName.of("bronze", domain, late.dataset)), severity="warning",
    )  # fmt: skip


def _processed(contracts: Mapping[str, Contract], run: Run | None) -> set[tuple[str, str]]:
    """Return (layer, dataset) of what a run wrote, a derived table by either of its names."""
    done = [] if run is None else [step for step in run.steps if step.status == "done"]
    written = {(step.layer, step.table.partition("__")[2]) for step in done}
    for contract in contracts.values():
        table = contract.features["table"] if contract.features else ""
        events = contract.vault.events if contract.vault else ""
        if ("gold", table) in written:
            written.add(("gold", contract.dataset))
        if ("silver", events) in written:
            written.add(("silver", contract.dataset))
    return written
