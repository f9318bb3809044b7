"""The verb `quarantine replay`: gates quarantined rows again and carries those that pass."""

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
    """Replay a domain's open rows, or a dataset's; return a row a dataset, and the run's number.

    The number is 0 where nothing passes that did not before: then nothing was written.

    Raises:
        UsageError: no such dataset, or `where` is no condition on the quarantine.
        DomainLocked: another run holds the domain.
    """
    from lakehouse.engine.session import spark
    from lakehouse.runs.ledger import Ledger, Run
    from lakehouse.runs.lock import lock_domain
    from lakehouse.storage.tables import Tables
    from silver.quarantine_replay import open_rows, revalidate, write

    tables, found, run = Tables.at(settings), [], None
    what = f"quarantine replay {dataset}".rstrip()
    with ExitStack() as held:
        held.enter_context(lock_domain(settings.home, domain, what))
        for contract in chosen(settings, domain, dataset):
            batch = _batch(settings, tables, contract, Run(0, domain, tables))
            total = {"dataset": contract.dataset, **dict.fromkeys(COUNTS, 0)}
            for part in open_rows(batch, where):
                progress(f"{contract.dataset}: {part.num_rows:,} open rows at the gate")
                judged = revalidate(spark(settings), batch, part)
                _add(total, judged)
                if dry_run or not judged.has_changes:
                    continue
                run = run or held.enter_context(Ledger(tables).run(domain, what))
                write(spark(settings), run, judged)
            if total["open"]:
                found.append(total)
        if run is not None:
            run.note = f"replayed {sum(row['replayed'] for row in found):,} quarantined rows"
    return {
        "domain": domain,
        "run": 0 if run is None else run.number,
        "dry_run": dry_run,
        "datasets": found,
    }


def chosen(settings: Settings, domain: str, dataset: str = "") -> list[Contract]:
    """Return the contracts that have a gate, or the one asked for; raise UsageError for none."""
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
    known = load_domain(settings.contracts, contract.domain)
    consumed, _ = consumed_and_newest(tables, contract)
    return Replay(
        contract, run, tables, -1, consumed, enforce_rules=False, targets=known, seal=seal
    )


def _add(total: dict[str, Any], judged: Revalidated) -> None:
    total["open"] += judged.open
    total["replayed"] += judged.resolved.num_rows
    total["still_open"] += judged.still_open
    total["missing"] += judged.missing
