"""Runs killed at any commit, or between two, that the next run finishes as if nothing had happened."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from operations.quarantine_replay import replay
from pipeline.run import run_layers
from proofs import shop
from proofs.convergence import Difference, delivered, differences, forget, stored
from proofs.oracle import expected
from proofs.processes import Ended, run_and_kill
from proofs.records import records

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from lakehouse.settings import Settings
    from proofs.log import Pack

LONGEST_DELAY = 0.5
# Two small files are worth to be merged, or these tables would be too small for upkeep to touch.
MAINTAIN = "from lakehouse.storage import compaction; compaction.FEW = 2; from cli.main import main; main()"
PROGRAMS = {
    "run": ["-m", "cli.main", "run", shop.DOMAIN, "--json"],
    "maintain": ["-c", MAINTAIN, "maintain", shop.DOMAIN, "--json"],
    "replay": ["-m", "cli.main", "quarantine", "replay", shop.DOMAIN, "--json"],
}


@dataclass(frozen=True)
class Kill:
    """When to kill a verb: so many commits after its start, so many seconds after the last of them."""

    commits: int
    delay: float = 0.0
    verb: str = "run"


@dataclass(frozen=True)
class Trial:
    """One killed process: the commit after which it died, and the differences after the next run."""

    kill: Kill
    last_commit: str
    died: bool
    differences: list[Difference]

    @property
    def layer(self) -> str:
        """Return the layer of the last commit before the end, or the verb where it is no run."""
        if self.kill.verb != "run":
            return self.kill.verb
        return self.last_commit.partition("/")[0] or "before any"


class Harness:
    """A home with one half of a log loaded, the other pending; every trial kills a process on a copy.

    For the replay of quarantine all of the log is loaded, and the contracts are relaxed since.
    """

    def __init__(self, spark: SparkSession, folder: Path, pack: Pack) -> None:
        """Load the first half; the second, with late and duplicate records, is pending."""
        self.spark, self.folder = spark, folder
        events = pack.events()
        self.expectations = {verb: expected(events, relaxed=verb == "replay") for verb in PROGRAMS}
        first, second = delivered(records(events), 2, Random(pack.seed))
        half = self._settings("half")
        self._land(half, "first", first)
        self._run(half)
        self._land(half, "second", second)
        self._run(self._copy("half", "whole"))

    def commits(self, verb: str = "run") -> int:
        """Return how many commits a verb takes when nothing disturbs it."""
        settings = self._start("undisturbed", verb)
        ended = _run_and_kill(settings, Kill(sys.maxsize, verb=verb))
        self._run(settings)
        left = differences(stored(self.spark, settings), self.expectations[verb])
        if ended.killed or left:
            raise AssertionError(f"wrong without any kill: {left[0] if left else 'no end'}")
        return len(ended.commits)

    def trial(self, kill: Kill) -> Trial:
        """Kill a process on a copy, run, and return what differs from an undisturbed run."""
        settings = self._start("trial", kill.verb)
        ended = _run_and_kill(settings, kill)
        forget(self.spark)
        if kill.verb == "replay":
            replay(settings, shop.DOMAIN)
        self._run(settings)
        again = kill.verb == "replay" and replay(settings, shop.DOMAIN)["run"]
        if again or not run_layers(settings, shop.DOMAIN).nothing_new:
            raise AssertionError("after the run that finished it something was still pending")
        left = differences(stored(self.spark, settings), self.expectations[kill.verb])
        return Trial(kill, ended.last_commit, ended.killed, left)

    def _settings(self, home: str, verb: str = "run") -> Settings:
        relaxed = verb == "replay"
        contracts = self.folder / ("relaxed" if relaxed else "strict")
        return shop.settings_of(contracts, self.folder / home, relaxed=relaxed)

    def _start(self, name: str, verb: str) -> Settings:
        return self._copy("whole" if verb == "replay" else "half", name, verb)

    def _copy(self, source: str, name: str, verb: str = "run") -> Settings:
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.folder / source, home, copy_function=shutil.copy2)
        return self._settings(name, verb)

    def _run(self, settings: Settings) -> None:
        forget(self.spark)
        run_layers(settings, shop.DOMAIN)

    def _land(self, settings: Settings, name: str, part: list[tuple[str, str]]) -> None:
        for dataset in shop.COLUMNS:
            shop.land(settings, dataset, name, [text for of, text in part if of == dataset])


def points(commits: int, between: int, seed: int, verb: str = "run") -> list[Kill]:
    """Return a kill at each commit boundary, and `between` kills at random moments between."""
    chance = Random(seed)
    moments = [
        Kill(chance.randint(0, commits), chance.uniform(0, LONGEST_DELAY), verb)
        for _ in range(between)
    ]
    return [*(Kill(number, verb=verb) for number in range(1, commits + 1)), *moments]


def _run_and_kill(settings: Settings, kill: Kill) -> Ended:
    return run_and_kill(
        settings, PROGRAMS[kill.verb], lambda made: len(made) >= kill.commits, kill.delay
    )
