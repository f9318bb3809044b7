"""`lakehouse demo`: the whole main job on real data, step by step, and what came out of it."""

from __future__ import annotations

import importlib
import shutil
import time
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

    from rich.console import Console

    from lakehouse.settings import Settings

GATED = ("bronze", "silver")


def demo(
    settings: Settings,
    scale: str,
    days: int,
    progress: Callable[..., None],
    out: Console,
) -> dict[str, Any]:
    """Land, carry, train, score and enrich the sample domain; return what is in its tables now.

    The history is carried first, then `days` days of changes one by one; one more day is scored
    as it streams in. What was done before is not done again.
    """
    domain, source = _sample(settings)
    started, story = time.monotonic(), _Story(out, progress)
    _land(settings, domain, source, 0, scale, story)
    story.step("carry the history through bronze, silver and gold", run_layers, settings, domain,
               progress=progress)  # fmt: skip
    for day in range(1, days + 1):
        if _land(settings, domain, source, day, scale, story):
            story.step(f"carry day {day}", run_layers, settings, domain, progress=progress)
    _platinum(settings, domain, source, days + 1, scale, story)
    result = {
        "domain": domain,
        "scale": scale,
        "seconds": round(time.monotonic() - started, 1),
        "steps": story.steps,
        "tables": _totals(settings, domain),
        "scores": _scores(settings, domain),
    }
    _tell(settings, result, out)
    return result


class _Story:
    """Runs each step, says how long it took, and remembers it."""

    def __init__(self, out: Console, progress: Callable[..., None]) -> None:
        self.out, self.progress = out, progress
        self.steps: list[dict[str, Any]] = []

    def step(self, what: str, do: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.progress(what)
        start = time.monotonic()
        result = do(*given, **named)
        seconds = time.monotonic() - start
        self.steps.append({"step": what, "seconds": round(seconds, 2)})
        idle = " (nothing new)" if getattr(result, "nothing_new", False) else ""
        self.out.print(f"{seconds:7.1f} s  {what}{idle}", markup=False)
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
    settings: Settings, domain: str, source: ModuleType, day: int, scale: str, story: _Story
) -> bool:
    """Land everything up to a day, the snapshot being day 0; return whether anything was landed."""
    landing = settings.landing / domain
    with lock_domain(settings.home, f"{domain}-landing", "land"):
        landed = source.landed_days(landing)
        if landed is not None and landed >= day:
            return False
        what = f"land the changes of day {day}" if day else f"land the history ({scale})"
        missing = day - (landed or 0)
        done = story.step(
            what, source.land, landing, days=missing, scale=scale, progress=story.progress
        )
    return bool(done.files)


def _platinum(
    settings: Settings, domain: str, source: ModuleType, day: int, scale: str, story: _Story
) -> None:
    """Train what is declared, stream one more day past the models, then carry that day, too."""
    from platinum.enrichment.enrichment import enrich
    from platinum.scoring.scoring import score
    from platinum.training.training import train

    contracts = load_domain(settings.contracts, domain).values()
    if any(contract.score for contract in contracts):
        story.step("train the models", train, settings, domain, progress=story.progress)
        _land(settings, domain, source, day, scale, story)
        story.step(f"capture day {day} as it streams in", run_layers, settings, domain, ("bronze",),
                   progress=story.progress)  # fmt: skip
        story.step(
            f"score the events of day {day}", score, settings, domain, progress=story.progress
        )
    story.step(f"carry day {day}", run_layers, settings, domain, progress=story.progress)
    if any(contract.enrich for contract in contracts):
        story.step("enrich by inference", enrich, settings, domain, progress=story.progress)


def _totals(settings: Settings, domain: str) -> list[dict[str, Any]]:
    """Return one row a gated table, summed over all runs: the counts add up, or the ledger objects."""
    totals: dict[str, dict[str, Any]] = {}
    numbers = ("input", "valid", "quarantined", "superseded", "written", "seconds")
    for step in Ledger(Tables.at(settings)).steps(domain):
        row = totals.setdefault(
            step["table"],
            {"layer": step["layer"], "table": step["table"], **dict.fromkeys(numbers, 0)},
        )
        for number in numbers:
            row[number] += step[number]
    rows = [row for row in totals.values() if row["input"] or row["layer"] not in GATED]
    for row in rows:
        row["adds_up"] = row["input"] == row["valid"] + row["quarantined"] + row["superseded"]
    return rows


def _scores(settings: Settings, domain: str) -> list[dict[str, Any]]:
    from pages.report.scores import scores

    return scores(settings, domain, load_domain(settings.contracts, domain))


def _tell(settings: Settings, result: dict[str, Any], out: Console) -> None:
    from cli.output import table
    from pages.report import report

    gated = [row for row in result["tables"] if row["layer"] in GATED]
    rows = [
        (r["table"], f"{r['input']:,}", f"{r['valid']:,}", f"{r['quarantined']:,}",
         f"{r['superseded']:,}", "yes" if r["adds_up"] else "NO", f"{r['seconds']:.1f}")
        for r in gated
    ]  # fmt: skip
    titles = ["table", ">rows in", ">valid", ">quarantined", ">superseded", "adds up", ">s"]
    out.print(table("", titles, rows))
    for found in result["scores"]:
        for which in ("best", "worst"):
            lines = [[row.get(c) for c in found["columns"]] for row in found[which]]
            out.print(table(f"{which} of {found['table']}", found["columns"], lines))
    page = report(settings)
    out.print(f"done in {result['seconds']:.0f} s; the report is {page['file']}", markup=False)
    command = "lakehouse" if shutil.which("lakehouse") else ".venv/bin/lakehouse"
    out.print("try next:")
    for line in _next(result):
        out.print(f"  {command} {line}", markup=False)


def _next(result: dict[str, Any]) -> list[str]:
    domain = result["domain"]
    facts = [row for row in result["tables"] if "__fct_" in row["table"]]
    known = sorted((row["written"], row["table"]) for row in facts)
    largest = known[-1][1] if known else f"gold.{domain}__..."
    return [
        "status",
        f'sql "select count(*) from {largest}"',
        f"quarantine list {domain}",
        f"features list {domain}",
        "report --open",
    ]
