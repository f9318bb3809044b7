"""What a run tells the owners of its datasets: what is broken, and what flows again."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contracts.parsing.load import load_domain
from lakehouse.alerts import router
from lakehouse.errors import Broken, ContractBreach
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bronze.freshness import Overdue
    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings

log = logging.getLogger("lakehouse.alerts")


def events_of(contract: Contract) -> list[TableName]:
    """Return the tables and views of silver that only one dataset feeds; hubs are shared."""
    if contract.vault is None:
        return []
    table = contract.vault.events
    names = [table, f"{table}_history", f"{table}_current"]
    names += [f"lnk_{contract.vault.link}"] if contract.vault.link else []
    return [TableName.of("silver", contract.domain, name) for name in dict.fromkeys(names)]


def held(contracts: Mapping[str, Contract], breaches: Iterable[ContractBreach]) -> list[TableName]:
    """Return the tables of silver on which nothing is built while their dataset is stopped."""
    stopped = {each.dataset for breach in breaches for each in breach.found}
    return [
        name
        for contract in contracts.values()
        if contract.dataset in stopped
        for name in events_of(contract)
    ]


def report(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    layers: tuple[str, ...],
    late: Iterable[Overdue],
    run: Run | None = None,
) -> None:
    """Tell what a run found, or, without one, that nothing was there to carry."""
    breaches = [] if run is None else run.breaches
    broken = [each for breach in breaches for each in breach.found]
    broken += [] if run is None else run.warnings
    broken += [_overdue(domain, each) for each in late]
    stopped = {each.layer for each in broken if each.severity == "error"}
    # Where datasets are held back, gold was not audited as a whole.
    looked = [layer for layer in layers if layer != "gold" or not stopped & {"bronze", "silver"}]
    if not broken and not router.anything_open(settings, domain):
        return
    try:
        router.tell(
            settings, domain, contracts, broken,
            looked_at=looked, carried=_carried(contracts, run), run=run.number if run else 0,
        )  # fmt: skip
    except Exception:
        # The data is right or stopped, whoever hears of it; the breach itself is raised anyway.
        log.exception("%s: nobody could be told of the run", domain)


@contextmanager
def owners_told(settings: Settings, domain: str, layer: str) -> Iterator[None]:
    """Tell owners of a breach that ends the block, or that it flows again; raise it all the same."""
    contracts = load_domain(settings.contracts, domain)
    try:
        yield
    except ContractBreach as breach:
        router.tell(settings, domain, contracts, breach.found, looked_at=[layer])
        raise
    if router.anything_open(settings, domain):
        router.tell(settings, domain, contracts, [], looked_at=[layer])


def _overdue(domain: str, late: Overdue) -> Broken:
    return Broken(
        late.dataset, "bronze", router.FREQUENCY, str(late),
        table=str(TableName.of("bronze", domain, late.dataset)), severity="warning",
    )  # fmt: skip


def _carried(contracts: Mapping[str, Contract], run: Run | None) -> set[tuple[str, str]]:
    """Return (layer, dataset) of what a run brought on, a derived table by either of its names."""
    done = [] if run is None else [step for step in run.steps if step.status == "done"]
    found = {(step.layer, step.table.partition("__")[2]) for step in done}
    for contract in contracts.values():
        table = contract.features["table"] if contract.features else ""
        events = contract.vault.events if contract.vault else ""
        if ("gold", table) in found:
            found.add(("gold", contract.dataset))
        if ("silver", events) in found:
            found.add(("silver", contract.dataset))
    return found
