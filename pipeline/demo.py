"""The demo: lands, runs, trains, scores and enriches the sample domain, step by step."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.errors import UsageError
from lakehouse.runs.ledger import Ledger
from lakehouse.runs.lock import lock_domain
from lakehouse.storage.tables import Tables
from pipeline.run import run_layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from lakehouse.settings import Settings

GATED = ("bronze", "silver")
COUNTS = ("input", "valid", "quarantined", "superseded", "written", "seconds")


def demo(
    settings: Settings,
    scale: str,
    days: int,
    progress: Callable[..., None],
    report_step: Callable[[float, str], None],
) -> dict[str, Any]:
    """Land, run, train, score and enrich the sample domain; return its steps and its tables.

    The history is run first, then `days` days of changes one by one; one more day is scored as it
    streams in. What an earlier demo did is not done again.
    """
    domain, source = _sample(settings)
    started = time.monotonic()
    steps = Steps(progress, report_step)
    _land(settings, domain, source, 0, scale, steps)
    steps.do("run the history through bronze, silver and gold", run_layers, settings, domain,
             progress=progress)  # fmt: skip
    for day in range(1, days + 1):
        if _land(settings, domain, source, day, scale, steps):
            steps.do(f"run day {day}", run_layers, settings, domain, progress=progress)
    _platinum(settings, domain, source, days + 1, scale, steps)
    return {
        "domain": domain,
        "scale": scale,
        "seconds": round(time.monotonic() - started, 1),
        "steps": steps.done,
        "tables": _totals(settings, domain),
    }


@dataclass
class Steps:
    """Does each step, reports how long it took, and records it."""

    progress: Callable[..., None]
    report: Callable[[float, str], None]
    done: list[dict[str, Any]] = field(default_factory=list)

    def do(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Return the result of the function."""
        self.progress(name)
        start = time.monotonic()
        result = function(*given, **named)
        seconds = time.monotonic() - start
        self.done.append({"step": name, "seconds": round(seconds, 2)})
        idle = " (nothing new)" if getattr(result, "nothing_new", False) else ""
        self.report(seconds, f"{name}{idle}")
        return result


def _sample(settings: Settings) -> tuple[str, ModuleType]:
    """Return the first domain that ships a sample source, and the source."""
    for domain in domains(settings.contracts):
        if find_spec("domains") and find_spec(f"domains.{domain}"):
            name = f"domains.{domain}.source"
            if find_spec(name):
                return domain, importlib.import_module(name)
    raise UsageError("no domain ships a sample source, so there is nothing to show")


def _land(
    settings: Settings, domain: str, source: ModuleType, day: int, scale: str, steps: Steps
) -> bool:
    """Land everything up to a day, the snapshot being day 0; return whether anything was landed."""
    landing = settings.landing / domain
    with lock_domain(settings.home, f"{domain}-landing", "land"):
        landed = source.landed_days(landing)
        if landed is not None and landed >= day:
            return False
        name = f"land the changes of day {day}" if day else f"land the history ({scale})"
        missing = day - (landed or 0)
        result = steps.do(
            name, source.land, landing, days=missing, scale=scale, progress=steps.progress
        )
    return bool(result.files)


def _platinum(
    settings: Settings, domain: str, source: ModuleType, day: int, scale: str, steps: Steps
) -> None:
    """Train the models, score one more day as it streams in, run that day, and enrich."""
    from platinum.enrichment.enrichment import enrich
    from platinum.scoring.scoring import score
    from platinum.training.training import train

    contracts = load_domain(settings.contracts, domain).values()
    progress = steps.progress
    if any(contract.score for contract in contracts):
        steps.do("train the models", train, settings, domain, progress=progress)
        _land(settings, domain, source, day, scale, steps)
        steps.do(f"capture day {day} as it streams in", run_layers, settings, domain, ("bronze",),
                 progress=progress)  # fmt: skip
        steps.do(f"score the events of day {day}", score, settings, domain, progress=progress)
    steps.do(f"run day {day}", run_layers, settings, domain, progress=progress)
    if any(contract.enrich for contract in contracts):
        steps.do("enrich by inference", enrich, settings, domain, progress=progress)


def _totals(settings: Settings, domain: str) -> list[dict[str, Any]]:
    """Return the counts of every gated or derived table, summed over all runs."""
    totals: dict[str, dict[str, Any]] = {}
    for step in Ledger(Tables.at(settings)).steps(domain):
        row = totals.setdefault(
            step["table"],
            {"layer": step["layer"], "table": step["table"], **dict.fromkeys(COUNTS, 0)},
        )
        for count in COUNTS:
            row[count] += step[count]
    rows = [row for row in totals.values() if row["input"] or row["layer"] not in GATED]
    for row in rows:
        row["adds_up"] = row["input"] == row["valid"] + row["quarantined"] + row["superseded"]
    return rows
