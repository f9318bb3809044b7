"""Replays quarantine: validates open rows again under today's contract and loads those that pass.

Here are the lock, the choice of rows and the counts; `silver.quarantine_replay` gates and writes.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings
    from silver.quarantine_replay import Revalidated

COUNTS = ("open", "replayed", "still_open", "missing")


def replay(
    settings: Settings,
    domain: str,
    dataset: str = "",
    where: str = "",
    *,
    dry_run: bool = False,
    progress: Callable[..., None] = lambda *_: None,
) -> dict[str, Any]:
    """Replay a domain's open rows, or a dataset's; return counts by dataset, and the run's number.

    The number is 0 where no further row passes: then nothing was written.

    Raises:
        UsageError: no such dataset, or `where` is not a condition on the quarantine.
        DomainLocked: another run has locked the domain.
    """
    from lakehouse.engine.session import spark
    from lakehouse.runs.ledger import Ledger, Run
    from lakehouse.runs.lock import lock_domain
    from lakehouse.storage.tables import Tables
    from operations.query import check_condition
    from silver.quarantine_replay import open_rows, revalidate, write

    check_condition(where)
    tables, datasets, run = Tables.at(settings), [], None
    verb = f"quarantine replay {dataset}".rstrip()
    with ExitStack() as stack:
        stack.enter_context(lock_domain(settings.home, domain, verb))
        for contract in gated_contracts(settings, domain, dataset):
            batch = _batch(settings, tables, contract, Run(0, domain, tables))
            total = {"dataset": contract.dataset, **dict.fromkeys(COUNTS, 0)}
            for part in open_rows(batch, where):
                progress(f"{contract.dataset}: {part.num_rows:,} open rows at the gate")
                revalidated = revalidate(spark(settings), batch, part)
                _add(total, revalidated)
                if dry_run or not revalidated.has_changes:
                    continue
                run = run or stack.enter_context(Ledger(tables).run(domain, verb))
                write(spark(settings), run, revalidated)
            if total["open"]:
                datasets.append(total)
        if run is not None:
            run.note = f"replayed {sum(row['replayed'] for row in datasets):,} quarantined rows"
    return {
        "domain": domain,
        "run": 0 if run is None else run.number,
        "dry_run": dry_run,
        "datasets": datasets,
    }


def gated_contracts(settings: Settings, domain: str, dataset: str = "") -> list[Contract]:
    """Return the contracts that have a gate, or the named one; raise UsageError where there is none."""
    from contracts.parsing.load import load_domain
    from lakehouse.errors import UsageError

    gated = {n: c for n, c in load_domain(settings.contracts, domain).items() if c.vault}
    if dataset and dataset not in gated:
        raise UsageError(f"no dataset '{dataset}' in '{domain}'; there is: {', '.join(gated)}")
    return [gated[dataset]] if dataset else list(gated.values())


def _batch(settings: Settings, tables: Any, contract: Contract, run: Any) -> Any:
    from contracts.parsing.load import load_domain
    from lakehouse.quality.sealing import Seal
    from silver.pending import consumed_and_newest
    from silver.quarantine_replay import Replay

    seal = Seal.at(settings) if contract.personal else None
    contracts = load_domain(settings.contracts, contract.domain)
    consumed, _ = consumed_and_newest(tables, contract)
    return Replay(
        contract, run, tables, -1, consumed, enforce_rules=False, targets=contracts, seal=seal
    )


def _add(total: dict[str, Any], revalidated: Revalidated) -> None:
    total["open"] += revalidated.open
    total["replayed"] += revalidated.resolved.num_rows
    total["still_open"] += revalidated.still_open
    total["missing"] += revalidated.missing
