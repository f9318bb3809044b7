"""Carries a rollback out: every table back to where a run found it.

The way back is the way of the data reversed: readers first, then gold, silver, bronze, and in
silver the tables that say how far bronze was read before those that do not. So wherever it is
killed, a table never holds less than its upstream says it has read: the next run derives again
what is missing, and the same rollback, started again, finishes.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bronze.discovery import FileLog
from gold import publish
from lakehouse.layers import PLATINUM
from lakehouse.runs.bookmarks import applications
from lakehouse.runs.ledger import Ledger, Run, Step
from lakehouse.runs.lock import lock_domain
from lakehouse.storage import restore
from lakehouse.storage.restore import ABSENT
from lakehouse.storage.tables import TableName, Tables
from operations.rollback_plan import Plan, Return, plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.settings import Settings


def roll_back(
    settings: Settings, number: int, progress: Callable[..., None] = lambda *_: None
) -> dict[str, Any]:
    """Undo a run and all that may have read what it wrote; return what was done.

    Raises:
        UsageError: as `plan`.
        DomainLocked: a run or a stream of the domain is at work.
    """
    domain = plan(settings, number).domain
    with ExitStack() as held:
        held.enter_context(lock_domain(settings.home, domain, f"rollback {number}"))
        chosen = plan(settings, number)
        if any(each.table.layer == PLATINUM for each in chosen.returns):
            held.enter_context(lock_domain(settings.home, f"{domain}-score", f"rollback {number}"))
        tables = Tables.at(settings)
        ledger = Ledger(tables)
        with ledger.run(domain, "rollback") as run:
            versions = _go_back(tables, chosen, run, progress)
            ledger.mark_rolled_back(
                [{k: v for k, v in row.items() if k != "what"} for row in chosen.undone], run.number
            )
            run.note = f"undid {_listed(chosen.undone)}"
    return chosen.to_dict() | {
        "rollback": run.number,
        "versions": {str(name): version for name, version in versions.items()},
    }


def _listed(undone: list[dict[str, Any]]) -> str:
    numbers = [str(row["run"]) for row in undone]
    return f"run{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"


def _go_back(
    tables: Tables, chosen: Plan, run: Run, progress: Callable[..., None]
) -> dict[TableName, int]:
    """Put every table back; return its newest version after that."""
    # A stream without a checkpoint reads all events again and passes over those it finds scored.
    for checkpoint in chosen.checkpoints:
        shutil.rmtree(checkpoint, ignore_errors=True)
    earlier = publish.return_to(tables, chosen.domain, chosen.run) if chosen.publishes else None
    bookmarks = applications(tables, chosen.domain)
    planned = {each.table: each for each in chosen.returns}
    versions = {}
    for done, (name, target) in enumerate(chosen.targets.items()):
        progress(f"{name}: back to version {target}", done, len(chosen.targets))
        versions[name] = restore.restore(tables, name, target, bookmarks)
        if name in planned:
            run.record(_step(run, planned[name], versions[name]))
    if chosen.publishes:
        # Not before bronze is back: the rows of a batch that is there must not be loaded again.
        log = FileLog(tables, chosen.domain)
        log.abandon(chosen.run, f"rolled back by run {run.number}")
    if earlier is not None:
        _publish(tables, earlier, chosen.targets, versions)
    return versions


def _publish(
    tables: Tables,
    earlier: publish.Publication,
    targets: dict[TableName, int],
    versions: dict[TableName, int],
) -> None:
    """Name the newest versions, which hold what the earlier ones held and are never cleaned up."""

    def newest(name: TableName, version: int) -> int:
        return versions[name] if targets.get(name) == version else version

    publish.append(
        tables,
        replace(
            earlier,
            versions={name: newest(name, number) for name, number in earlier.versions.items()},
            consumed={name: newest(name, number) for name, number in earlier.consumed.items()},
            at=datetime.now(UTC),
        ),
    )


def _step(run: Run, way: Return, version: int) -> Step:
    absent = way.target == ABSENT
    return Step(
        run=run.number,
        domain=run.domain,
        layer=way.table.layer,
        table=str(way.table),
        version_from=way.version,
        version_to=version,
        status="restored",
        message="emptied: it was not there" if absent else f"back to version {way.target}",
    )
