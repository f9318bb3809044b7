"""The plan of a domain's maintenance: files to merge and remove, and what has to wait for a reader."""

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
class MaintenancePlan:
    """The maintenance of one domain's tables, or of the ledger's own."""

    domain: str
    surveys: list[tuple[Survey, Window]]
    checkpoints: list[Path]
    busy: str = ""

    @property
    def due(self) -> list[tuple[Survey, Window]]:
        """Return the tables that need maintenance."""
        return [(survey, window) for survey, window in self.surveys if not survey.idle]

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {
            "domain": self.domain,
            "tables": [survey.to_dict() for survey, _ in self.surveys],
            "checkpoints_to_remove": [str(path) for path in self.checkpoints],
            "busy": self.busy,
        }


def plan(
    settings: Settings,
    tables: Tables,
    domain: str,
    names: list[TableName],
    days: int,
    now: datetime,
    progress: Callable[..., None],
) -> MaintenancePlan:
    """Return the maintenance of a domain's tables; files that a reader has not read are not merged."""
    has_contracts = domain in domains(settings.contracts)
    contracts = load_domain(settings.contracts, domain) if has_contracts else {}
    streams = list(_streams(settings, contracts))
    behind = _readers_behind(settings, domain, contracts)
    surveys = []
    for done, name in enumerate(names):
        progress(f"{name}: reading its log", done, len(names))
        places = [streamed_version(s.checkpoint) for s in streams if s.source == name]
        oldest = min((place for place in places if place is not None), default=None)
        window = Window(days, now, oldest)
        reason = behind.get(name.layer, "")
        if oldest is not None and not is_unchanged_since(tables, name, oldest):
            reason = "a stream has not read all of it"
        surveys.append((survey(tables, name, window, reason), window))
    kept = {stream.checkpoint for stream in streams}
    return MaintenancePlan(
        domain, surveys, _orphans(settings, domain, kept, days, now) if has_contracts else []
    )


def _readers_behind(
    settings: Settings, domain: str, contracts: dict[str, Contract]
) -> dict[str, str]:
    """Return, by layer, why its files are not merged: which reader has not read them yet.

    A reader finds its new rows by the files' ranges of batches; new rows merged with old ones
    would make it read both.
    """
    reasons = {}
    if is_pending(settings, domain, contracts, "silver"):
        reasons["bronze"] = "silver has not read all of it"
    if is_pending(settings, domain, contracts, "gold"):
        reasons |= dict.fromkeys(("silver", "gold"), "gold has not read all of silver")
    return reasons


def _streams(settings: Settings, contracts: dict[str, Contract]) -> Iterator[Stream]:
    return (Stream.of(settings, c, contracts) for c in contracts.values() if c.score)


def _orphans(
    settings: Settings, domain: str, kept: set[Path], days: int, now: datetime
) -> list[Path]:
    """Return the checkpoints of streams that no contract declares any more, unused for `days`."""
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
