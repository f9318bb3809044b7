"""The upkeep of a domain: small files merged, old ones removed, logs shortened, promises kept."""

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
from operations.maintenance_plan import Work, surveyed

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

    Each domain is locked meanwhile; one that is at work is left for the next time. With `dry_run`
    nothing is written.

    Raises:
        UsageError: fewer days are to be kept than the settings promise.
        DomainLocked: the one domain that was asked for is at work.
    """
    days = settings.retention_days if keep_days is None else keep_days
    if days < settings.retention_days:
        raise UsageError(
            f"{days} days are fewer than the {settings.retention_days} for which versions are "
            "promised: LAKEHOUSE_RETENTION_DAYS says for how long"
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
            done.append(Work(name, [], [], str(busy)))
    try:
        with lock_domain(settings.home, OPS, "maintain"):
            done.append(_ops(settings, days, instant, dry_run, progress))
    except DomainLocked as busy:
        done.append(Work(OPS, [], [], str(busy)))
    return {
        "keeps_days": days,
        "dry_run": dry_run,
        "domains": [each.to_dict() for each in done],
    }


def _domains(settings: Settings) -> list[str]:
    found = {name.domain for name in Tables.at(settings).names() if name.domain}
    return sorted({*found, *domains(settings.contracts)})


def _domain(
    settings: Settings,
    domain: str,
    days: int,
    now: datetime,
    dry_run: bool,
    progress: Callable[..., None],
) -> Work:
    tables = Tables.at(settings)
    with ExitStack() as held:
        names = list(tables.names(domain))
        try:
            for other in ("score", "enrich"):
                held.enter_context(lock_domain(settings.home, f"{domain}-{other}", "maintain"))
        except DomainLocked:
            names = [name for name in names if name.layer != PLATINUM]
        work = surveyed(settings, tables, domain, names, days, now, progress)
        if dry_run or not (work.due or work.checkpoints):
            return work
        with Ledger(tables).run(domain, "maintain", ()) as run:
            moved = {}
            for survey, window in work.due:
                progress(f"{survey.table}: maintaining", len(moved), len(work.due))
                moved[survey.table] = (survey.version, _one(tables, survey, window, run))
            _tell_gold(tables, domain, moved)
            for checkpoint in work.checkpoints:
                shutil.rmtree(checkpoint, ignore_errors=True)
    return work


def _one(tables: Tables, found: Survey, window: Window, run: Run) -> int:
    version = compaction.maintain(tables, found, window)
    run.record(
        Step(
            run.number, run.domain, found.table.layer, str(found.table),
            bytes=found.small_bytes, version_from=found.version, version_to=version,
            status="maintained", message=_words(found.to_dict()),
        )
    )  # fmt: skip
    return version


def _tell_gold(tables: Tables, domain: str, moved: dict[TableName, tuple[int, int]]) -> None:
    """Publish the same rows at their new versions, so that no build takes them for news."""
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
    if not again.says_the_same_as(last):
        publish.append(tables, again)


def _ops(
    settings: Settings, days: int, now: datetime, dry_run: bool, progress: Callable[..., None]
) -> Work:
    """Maintain the tables of the ledger, to which runs of every domain append."""
    tables, window = Tables.at(settings), Window(days, now)
    names = [name for name in tables.names() if name.layer == OPS]
    work = Work(OPS, [(survey(tables, name, window), window) for name in names], [])
    for found, _ in [] if dry_run else work.due:
        progress(f"{found.table}: maintaining")
        compaction.maintain(tables, found, window)
    return work


def _words(found: dict[str, Any]) -> str:
    parts = []
    if found["files_to_merge"]:
        parts.append(f"merged {found['files_to_merge']} files ({size(found['bytes_to_merge'])})")
    if found["files_to_remove"]:
        parts.append(f"removed {found['files_to_remove']} files ({size(found['bytes_to_remove'])})")
    if found["log_files_to_remove"]:
        removed = size(found["log_bytes_to_remove"])
        parts.append(f"removed {found['log_files_to_remove']} files of the log ({removed})")
    if found["sets_retention"]:
        parts.append("set for how long versions are kept")
    return "; ".join(parts)
