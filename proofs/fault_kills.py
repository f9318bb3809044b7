"""Runs killed again and again while planted faults are pending; at the end the fault audit is asked.

A home of a seed gets the sample source's days one after the other, each with faults by that seed:
files sent again, torn, late, in disorder. After each landing some runs are killed, so that the next
day's files arrive beside the plan of a run that died. When all days have landed, whole runs follow
until nothing is new; then each fault must be met and every dataset must be as promised.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from bronze.discovery import FILES, FileLog
from domains.retail import source
from lakehouse.layers import BATCH
from lakehouse.runs.bookmarks import captured_batch
from lakehouse.runs.ledger import RUNS
from lakehouse.settings import PROJECT, Settings
from lakehouse.storage.tables import TableName, Tables
from operations.fault_audit import audit
from pipeline.run import run_layers
from proofs.convergence import forget
from proofs.processes import Ended, run_and_kill
from proofs.schedule import STAGES, Kill, schedule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyspark.sql import SparkSession

DOMAIN, SCALE = "retail", "tiny"
BREACH = 3
WHOLE_RUNS = 3
# One seed in so many starts with the snapshot pending, too; the others, which is cheaper, after it.
FROM_NOTHING = 10
# It is met by gold's member for unknown keys.
NEEDS_GOLD = "orphan"


@dataclass
class Trial:
    """What became of one seed's home: how its killed runs ended, and what the audit reports.

    `points` counts the killed runs by the stage in which they died, `twins` those that died between
    their plan and bronze's commit while the plan had a re-sent file beside its original.
    """

    seed: int
    history: list[str] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    twins: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Return how many runs were killed; those that ended before are not among them."""
        return self.points.total()


class Harness:
    """Homes of the sample domain, a seed each, and runs of the command line that are killed in them.

    `program` is what Python runs in place of the command line, `layers` those that are run.
    """

    def __init__(
        self,
        spark: SparkSession,
        folder: Path,
        layers: tuple[str, ...] = BATCH,
        program: Sequence[str] = ("-m", "cli.main"),
    ) -> None:
        self.spark, self.folder, self.layers = spark, folder, layers
        self.arguments = [*program, "run", DOMAIN, *(f"--layer={layer}" for layer in layers)]

    def seed(self, seed: int, kills: int) -> Trial:
        """Return the trial of a seed's own schedule in a new home, which is removed at the end."""
        settings = self.prepared(seed)
        trial = self.trial(seed, schedule(seed, kills, len(source.days())), settings)
        shutil.rmtree(settings.home)
        return trial

    def prepared(self, seed: int) -> Settings:
        """Return a new home for a seed; in most the snapshot, which has no faults, is loaded."""
        settings = self.settings(f"seed-{seed}")
        if seed % FROM_NOTHING:
            snapshot = self.settings("snapshot")
            if not snapshot.home.exists():
                source.land(snapshot.landing / DOMAIN, days=0, scale=SCALE)
                self._run(snapshot)
            shutil.copytree(snapshot.home, settings.home)
        return settings

    def settings(self, home: str) -> Settings:
        """Return settings of a home with the project's own contracts and models."""
        return Settings(
            home=self.folder / home,
            contracts=PROJECT / "contracts",
            dbt_project=PROJECT / "dbt_project",
        )

    def trial(self, seed: int, days: Sequence[Sequence[Kill]], settings: Settings) -> Trial:
        """Land days and kill runs after each; run until nothing is new; return what is wrong then."""
        trial = Trial(seed)
        for kills in days:
            landed = source.land(settings.landing / DOMAIN, days=1, scale=SCALE, faults=seed)
            trial.history.append(f"landed {landed.days[0]}")
            for kill in kills:
                self._kill(settings, kill, trial)
        if any(days) and not trial.twins:
            trial.problems.append("no run died with a re-sent file in its plan: nothing was tried")
        trial.problems += self._finished(settings)
        return trial

    def _kill(self, settings: Settings, kill: Kill, trial: Trial) -> None:
        stages = [""]

        def reached(commits: Sequence[str]) -> bool:
            stages[:] = [_stage(settings.home, commit) for commit in commits]
            return kill.reached(stages)

        ended = run_and_kill(settings, self.arguments, reached, kill.delay)
        trial.history.append(_described(kill, ended))
        if not ended.killed:
            if ended.exit_code not in {0, BREACH}:
                trial.problems.append(f"a run failed ({ended.exit_code}): {ended.messages[-2000:]}")
            return
        stages = [_stage(settings.home, commit) for commit in ended.commits]
        last = max((STAGES.index(stage) for stage in stages if stage), default=-1)
        trial.points[STAGES[last] if last >= 0 else "before any commit"] += 1
        trial.twins += last == STAGES.index("plan") and _has_dead_twins(settings)

    def _finished(self, settings: Settings) -> list[str]:
        """Return what is wrong after whole runs, as many as it takes until nothing is new."""
        try:
            if not any(self._run(settings) for _ in range(WHOLE_RUNS)):
                return [f"after {WHOLE_RUNS} whole runs there still was something new"]
            report = audit(settings, DOMAIN).to_dict()
        except Exception as error:  # noqa: BLE001 - whatever stops a run is what is looked for
            return [f"a whole run failed: {type(error).__name__}: {error}"]
        missed = {
            kind["kind"] for kind in report["kinds"] if min(kind["recall"], kind["precision"]) < 1
        }
        if "gold" not in self.layers:
            missed.discard(NEEDS_GOLD)
        unlike = [row["dataset"] for row in report["rows"] if not row["as_promised"]]
        if not missed and not unlike:
            return []
        summary = f"missed {sorted(missed)}, not as promised {unlike}"
        return [summary, *report["problems"]]

    def _run(self, settings: Settings) -> bool:
        """Run once; return whether there was nothing new."""
        forget(self.spark)
        return run_layers(settings, DOMAIN, self.layers).nothing_new


def _described(kill: Kill, ended: Ended) -> str:
    after = ended.last_commit or "no commit"
    end = "killed" if ended.killed else f"ended by itself ({ended.exit_code})"
    return f"{end} after {after} ({kill})"


@cache
def _stage(home: Path, commit: str) -> str:
    """Return the stage that a commit belongs to, empty where it may be of any."""
    layer, table, version = commit.split("/")
    name = TableName(layer, table)
    if name == FILES:
        log = home / "warehouse" / layer / table / "_delta_log" / f"{version}.json"
        return "plan" if _plans(log) else "abandon"
    return layer if layer in STAGES else "start" if name == RUNS else ""


def _plans(log: Path) -> bool:
    """Return whether a commit of the file log plans files, from the statistics of what it adds."""
    adds = [json.loads(line).get("add") for line in log.read_text("utf-8").splitlines()]
    highest = [json.loads(add["stats"])["maxValues"]["status"] for add in adds if add]
    return any(status != "abandoned" for status in highest)


def _has_dead_twins(settings: Settings) -> bool:
    """Return whether a plan that was never committed loads a file and skips its re-sent twin."""
    tables = Tables.at(settings)
    entries = FileLog(tables, DOMAIN).entries
    last = max(entry.batch for entry in entries)
    planned = {e.sha256 for e in entries if e.batch == last and e.status == "planned"}
    return any(
        entry.batch == last and entry.status == "duplicate" and entry.sha256 in planned
        and captured_batch(tables, TableName.of("bronze", DOMAIN, entry.dataset)) < last
        for entry in entries
    )  # fmt: skip
