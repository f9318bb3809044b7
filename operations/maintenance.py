"""Maintains a domain's tables: merges small files, removes old ones, shortens logs.

Retention is kept: every version of the last `LAKEHOUSE_RETENTION_DAYS` days stays readable.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from gold import publish
from lakehouse.errors import DomainLocked, UsageError
from lakehouse.formatting import size
from lakehouse.layers import PLATINUM
from lakehouse.runs.ledger import Ledger, Run, Step
from lakehouse.runs.lock import lock_domain
from lakehouse.storage import compaction
from lakehouse.storage.compaction import Survey, Window, survey
from lakehouse.storage.tables import TableName, Tables
from operations.maintenance_plan import MaintenancePlan, plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.settings import Settings

OPS = "ops"


def maintain(
    settings: Settings,
    domain: str = "",
    *,
    keep_days: int | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
    progress: Callable[..., None] = lambda *_: None,
) -> dict[str, Any]:
    """Maintain the tables of one domain or of all, and the ledger's; return what was done to each.

    Each domain is locked meanwhile; a locked one is skipped. With `dry_run` nothing is written.

    Raises:
        UsageError: `keep_days` is less than the retention of the settings.
        DomainLocked: the named domain is locked by another run.
    """
    days = settings.retention_days if keep_days is None else keep_days
    if days < settings.retention_days:
        raise UsageError(
            f"{days} days are fewer than the {settings.retention_days} of LAKEHOUSE_RETENTION_DAYS, "
            "for which every version stays readable"
        )
    instant = now or datetime.now(UTC)
    done = []
    for name in [domain] if domain else _domains(settings):
        try:
            with lock_domain(settings.home, name, "maintain"):
                done.append(_domain(settings, name, days, instant, dry_run, progress))
        except DomainLocked as busy:
            if domain:
                raise
            done.append(MaintenancePlan(name, [], [], str(busy)))
    try:
        with lock_domain(settings.home, OPS, "maintain"):
            done.append(_ops(settings, days, instant, dry_run, progress))
    except DomainLocked as busy:
        done.append(MaintenancePlan(OPS, [], [], str(busy)))
    return {
        "keeps_days": days,
        "dry_run": dry_run,
        "domains": [domain_plan.to_dict() for domain_plan in done],
    }


def _domains(settings: Settings) -> list[str]:
    stored = {name.domain for name in Tables.at(settings).names() if name.domain}
    return sorted({*stored, *domains(settings.contracts)})


def _domain(
    settings: Settings,
    domain: str,
    days: int,
    now: datetime,
    dry_run: bool,
    progress: Callable[..., None],
) -> MaintenancePlan:
    tables = Tables.at(settings)
    with ExitStack() as locks:
        names = list(tables.names(domain))
        try:
            for other in ("score", "enrich"):
                locks.enter_context(lock_domain(settings.home, f"{domain}-{other}", "maintain"))
        except DomainLocked:
            names = [name for name in names if name.layer != PLATINUM]
        work = plan(settings, tables, domain, names, days, now, progress)
        if dry_run or not (work.due or work.checkpoints):
            return work
        with Ledger(tables).run(domain, "maintain", ()) as run:
            moved = {}
            for survey, window in work.due:
                progress(f"{survey.table}: maintaining", len(moved), len(work.due))
                moved[survey.table] = (survey.version, _maintain_table(tables, survey, window, run))
            _publish_moved(tables, domain, moved)
            for checkpoint in work.checkpoints:
                shutil.rmtree(checkpoint, ignore_errors=True)
    return work


def _maintain_table(tables: Tables, survey: Survey, window: Window, run: Run) -> int:
    version = compaction.maintain(tables, survey, window)
    run.record(
        Step(
            run.number, run.domain, survey.table.layer, str(survey.table),
            bytes=survey.small_bytes, version_from=survey.version, version_to=version,
            status="maintained", message=_message(survey.to_dict()),
        )
    )  # fmt: skip
    return version


def _publish_moved(tables: Tables, domain: str, moved: dict[TableName, tuple[int, int]]) -> None:
    """Publish the same rows at their new versions, so that no build takes them for new rows."""
    last = publish.latest(tables, domain)
    if last is None:
        return

    def now(name: TableName, version: int) -> int:
        before, after = moved.get(name, (-1, -1))
        return after if version == before else version

    again = replace(
        last,
        versions={name: now(name, version) for name, version in last.versions.items()},
        consumed={name: now(name, version) for name, version in last.consumed.items()},
        at=datetime.now(UTC),
    )
    if not again.equals(last):
        publish.append(tables, again)


def _ops(
    settings: Settings, days: int, now: datetime, dry_run: bool, progress: Callable[..., None]
) -> MaintenancePlan:
    """Maintain the tables of the ledger, to which runs of every domain append."""
    tables, window = Tables.at(settings), Window(days, now)
    names = [name for name in tables.names() if name.layer == OPS]
    work = MaintenancePlan(OPS, [(survey(tables, name, window), window) for name in names], [])
    for table, _ in [] if dry_run else work.due:
        progress(f"{table.table}: maintaining")
        compaction.maintain(tables, table, window)
    return work


def _message(table: dict[str, Any]) -> str:
    parts = []
    if table["files_to_merge"]:
        parts.append(f"merged {table['files_to_merge']} files ({size(table['bytes_to_merge'])})")
    if table["files_to_remove"]:
        parts.append(f"removed {table['files_to_remove']} files ({size(table['bytes_to_remove'])})")
    if table["log_files_to_remove"]:
        removed = size(table["log_bytes_to_remove"])
        parts.append(f"removed {table['log_files_to_remove']} files of the log ({removed})")
    if table["sets_retention"]:
        parts.append("set the retention of versions")
    return "; ".join(parts)
