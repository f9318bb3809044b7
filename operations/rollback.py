"""Rolls a run back: every table restored to its version before the run.

Tables are restored against the flow of the data: readers first, then gold, silver, bronze, and in
silver the tables with a bookmark of bronze before those without. So wherever it is killed, no
bookmark claims rows that its table has lost: the next run derives what is missing, and the same
rollback, started again, finishes.
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
from operations.rollback_plan import RollbackPlan, TableRollback, plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.settings import Settings


def roll_back(
    settings: Settings, number: int, progress: Callable[..., None] = lambda *_: None
) -> dict[str, Any]:
    """Roll back a run and all that may have read what it wrote; return the plan and what was done.

    Raises:
        UsageError: as `plan`.
        DomainLocked: a run or a stream of the domain is running.
    """
    domain = plan(settings, number).domain
    with ExitStack() as locks:
        locks.enter_context(lock_domain(settings.home, domain, f"rollback {number}"))
        chosen = plan(settings, number)
        if any(table.table.layer == PLATINUM for table in chosen.tables_back):
            locks.enter_context(lock_domain(settings.home, f"{domain}-score", f"rollback {number}"))
        tables = Tables.at(settings)
        ledger = Ledger(tables)
        with ledger.run(domain, "rollback") as run:
            versions = _restore(tables, chosen, run, progress)
            ledger.mark_rolled_back(
                [{k: v for k, v in row.items() if k != "command"} for row in chosen.runs],
                run.number,
            )
            run.note = f"rolled back {_listed(chosen.runs)}"
    return chosen.to_dict() | {
        "rollback": run.number,
        "versions": {str(name): version for name, version in versions.items()},
    }


def _listed(runs: list[dict[str, Any]]) -> str:
    numbers = [str(row["run"]) for row in runs]
    return f"run{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"


def _restore(
    tables: Tables, chosen: RollbackPlan, run: Run, progress: Callable[..., None]
) -> dict[TableName, int]:
    """Restore every table to its target; return the newest version of each after that."""
    # A stream without a checkpoint reads all events again and skips those that are scored already.
    for checkpoint in chosen.checkpoints:
        shutil.rmtree(checkpoint, ignore_errors=True)
    earlier = publish.return_to(tables, chosen.domain, chosen.run) if chosen.publishes else None
    bookmarks = applications(tables, chosen.domain)
    planned = {table.table: table for table in chosen.tables_back}
    versions = {}
    for done, (name, target) in enumerate(chosen.targets.items()):
        progress(f"{name}: restoring version {target}", done, len(chosen.targets))
        versions[name] = restore.restore(tables, name, target, bookmarks)
        if name in planned:
            run.record(_step(run, planned[name], versions[name]))
    if chosen.publishes:
        # Only after bronze is restored: the rows of a batch that is still there must not be loaded again.
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
    """Publish the newest versions: they have the rows of the earlier ones, and are never vacuumed."""

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


def _step(run: Run, table: TableRollback, version: int) -> Step:
    absent = table.target == ABSENT
    return Step(
        run=run.number,
        domain=run.domain,
        layer=table.table.layer,
        table=str(table.table),
        version_from=table.version,
        version_to=version,
        status="restored",
        message="emptied: it did not exist" if absent else f"to version {table.target}",
    )
