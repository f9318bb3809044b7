"""The upkeep of a domain: small files merged, old ones removed, logs shortened, promises kept."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.arguments import known_domains
from cli.flow import is_pending
from cli.output import size
from contracts.load import domains, load_domain
from gold import publish
from lakehouse import upkeep
from lakehouse.errors import Busy, UsageError
from lakehouse.ledger import FED, Ledger, Run, Step
from lakehouse.lock import exclusive
from lakehouse.restoring import quiet_since
from lakehouse.tables import TableName, Tables
from lakehouse.upkeep import Survey, Window, stands_at, survey
from platinum.outcome import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.model import Contract
    from lakehouse.settings import Settings

OPS = "ops"


@dataclass(frozen=True)
class Work:
    """What one domain's upkeep comes to, or that of the ledger's own tables."""

    domain: str
    surveys: list[tuple[Survey, Window]]
    checkpoints: list[Path]
    busy: str = ""

    @property
    def due(self) -> list[tuple[Survey, Window]]:
        """Return the tables with anything to do."""
        return [(survey, window) for survey, window in self.surveys if not survey.idle]

    def to_dict(self) -> dict[str, Any]:
        """Return the work as plain values."""
        return {
            "domain": self.domain,
            "tables": [survey.to_dict() for survey, _ in self.surveys],
            "checkpoints_to_remove": [str(path) for path in self.checkpoints],
            "busy": self.busy,
        }


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
        Busy: the one domain that was asked for is at work.
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
            with exclusive(settings.home, name, "maintain"):
                done.append(_domain(settings, name, days, instant, dry_run, progress))
        except Busy as busy:
            if domain:
                raise
            done.append(Work(name, [], [], str(busy)))
    try:
        with exclusive(settings.home, OPS, "maintain"):
            done.append(_ops(settings, days, instant, dry_run, progress))
    except Busy as busy:
        done.append(Work(OPS, [], [], str(busy)))
    return {
        "keeps_days": days,
        "dry_run": dry_run,
        "domains": [each.to_dict() for each in done],
    }


def _domains(settings: Settings) -> list[str]:

    found = {name.domain for name in Tables.at(settings).names() if name.domain}
    return sorted({*found, *known_domains(settings.contracts)})


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
                held.enter_context(exclusive(settings.home, f"{domain}-{other}", "maintain"))
        except Busy:
            names = [name for name in names if name.layer != FED]
        work = _survey(settings, tables, domain, names, days, now, progress)
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


def _survey(
    settings: Settings,
    tables: Tables,
    domain: str,
    names: list[TableName],
    days: int,
    now: datetime,
    progress: Callable[..., None],
) -> Work:

    known = domain in domains(settings.contracts)
    contracts = load_domain(settings.contracts, domain) if known else {}
    streams = list(_streams(settings, contracts))
    behind = _behind(settings, domain, contracts)
    surveys = []
    for done, name in enumerate(names):
        progress(f"{name}: looking", done, len(names))
        places = [stands_at(s.checkpoint) for s in streams if s.source == name]
        held = min((place for place in places if place is not None), default=None)
        window = Window(days, now, held)
        why = behind.get(name.layer, "")
        if held is not None and not quiet_since(tables, name, held):
            why = "a stream has not read all of it"
        surveys.append((survey(tables, name, window, why), window))
    kept = {stream.checkpoint for stream in streams}
    return Work(domain, surveys, _orphans(settings, domain, kept, days, now) if known else [])


def _behind(settings: Settings, domain: str, contracts: dict[str, Contract]) -> dict[str, str]:
    """Return, by layer, why its files are not merged: who has not read them yet.

    A reader knows by the ranges of files what is new to it; new rows merged with old ones would
    make it read both.
    """
    found = {}
    if is_pending(settings, domain, contracts, "silver"):
        found["bronze"] = "silver has not read all of it"
    if is_pending(settings, domain, contracts, "gold"):
        found |= dict.fromkeys(("silver", "gold"), "gold has not read all of silver")
    return found


def _streams(settings: Settings, contracts: dict[str, Contract]) -> Iterator[Stream]:

    return (Stream.of(settings, c, contracts) for c in contracts.values() if c.score)


def _orphans(
    settings: Settings, domain: str, kept: set[Path], days: int, now: datetime
) -> list[Path]:
    """Return the checkpoints of streams that no contract declares any more, unused for long."""
    folder, begins = settings.home / "checkpoints" / domain, now - timedelta(days=days)
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_dir()
        and path not in kept
        and datetime.fromtimestamp(path.stat().st_mtime, UTC) < begins
    ]


def _one(tables: Tables, found: Survey, window: Window, run: Run) -> int:

    version = upkeep.maintain(tables, found, window)
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
        upkeep.maintain(tables, found, window)
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
