"""What the upkeep of a domain comes to, and what has to be left for later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.storage.compaction import Survey, Window, streamed_version, survey
from lakehouse.storage.restore import is_unchanged_since
from pipeline.workload import is_pending
from platinum.scoring.outcome import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings
    from lakehouse.storage.tables import TableName, Tables


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


def surveyed(
    settings: Settings,
    tables: Tables,
    domain: str,
    names: list[TableName],
    days: int,
    now: datetime,
    progress: Callable[..., None],
) -> Work:
    """Return what is to be done to a domain's tables; what a reader has not read is left."""
    known = domain in domains(settings.contracts)
    contracts = load_domain(settings.contracts, domain) if known else {}
    streams = list(_streams(settings, contracts))
    behind = _behind(settings, domain, contracts)
    surveys = []
    for done, name in enumerate(names):
        progress(f"{name}: looking", done, len(names))
        places = [streamed_version(s.checkpoint) for s in streams if s.source == name]
        held = min((place for place in places if place is not None), default=None)
        window = Window(days, now, held)
        why = behind.get(name.layer, "")
        if held is not None and not is_unchanged_since(tables, name, held):
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
