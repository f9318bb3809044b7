"""A run killed at any commit, or between two, is finished by the next one as if nothing had been."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from operations.quarantine_replay import replay
from pipeline.run import run_layers
from proofs import shop
from proofs.convergence import Difference, delivered, differences, forget, stored
from proofs.oracle import expected
from proofs.records import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from lakehouse.settings import Settings
    from proofs.log import Pack

GIVE_UP_SECONDS = 300
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
    """When to kill what: so many commits after the start, so many seconds after the last of them."""

    commits: int
    delay: float = 0.0
    verb: str = "run"


@dataclass(frozen=True)
class Trial:
    """One killed process: the commit after which it died, and what differs after the next run."""

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
    """A home with a log half carried, half waiting, of which each trial kills a copy.

    For the replay of the quarantine all of it is carried, and the contracts are relaxed since.
    """

    def __init__(self, spark: SparkSession, folder: Path, pack: Pack) -> None:
        """Carry the first half; the second, with late and repeated records, waits."""
        self.spark, self.folder = spark, folder
        events = pack.events()
        self.wanted = {verb: expected(events, relaxed=verb == "replay") for verb in PROGRAMS}
        first, second = delivered(records(events), 2, Random(pack.seed))
        half = self._settings("half")
        self._land(half, "first", first)
        self._carry(half)
        self._land(half, "second", second)
        self._carry(self._copy("half", "whole"))

    def commits(self, verb: str = "run") -> int:
        """Return how many commits a verb takes when nothing disturbs it."""
        settings = self._start("undisturbed", verb)
        before = len(_commits(settings.home))
        died, _ = _run_and_kill(settings, Kill(sys.maxsize, verb=verb))
        count = len(_commits(settings.home)) - before
        self._carry(settings)
        found = differences(stored(self.spark, settings), self.wanted[verb])
        if died or found:
            raise AssertionError(f"wrong without any kill: {found[0] if found else 'no end'}")
        return count

    def trial(self, kill: Kill) -> Trial:
        """Kill a process on a copy, run, and say what differs from what nothing disturbed."""
        settings = self._start("trial", kill.verb)
        before = len(_commits(settings.home))
        died, last = _run_and_kill(settings, replace(kill, commits=before + kill.commits))
        forget(self.spark)
        if kill.verb == "replay":
            replay(settings, shop.DOMAIN)
        self._carry(settings)
        again = kill.verb == "replay" and replay(settings, shop.DOMAIN)["run"]
        if again or not run_layers(settings, shop.DOMAIN).nothing_new:
            raise AssertionError("after what finished it there was something new")
        found = differences(stored(self.spark, settings), self.wanted[kill.verb])
        return Trial(kill, last, died, found)

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

    def _carry(self, settings: Settings) -> None:
        forget(self.spark)
        run_layers(settings, shop.DOMAIN)

    def _land(self, settings: Settings, name: str, part: list[tuple[str, str]]) -> None:
        for dataset in shop.COLUMNS:
            shop.land(settings, dataset, name, [text for of, text in part if of == dataset])


def points(commits: int, extra: int, seed: int, verb: str = "run") -> list[Kill]:
    """Return a kill at each commit boundary, and `extra` ones at random moments between."""
    chance = Random(seed)
    between = [
        Kill(chance.randint(0, commits), chance.uniform(0, LONGEST_DELAY), verb)
        for _ in range(extra)
    ]
    return [*(Kill(number, verb=verb) for number in range(1, commits + 1)), *between]


def _commits(home: Path) -> list[str]:
    """Return the commits of all tables, as `layer/table/version`."""
    return [
        f"{log.parent.parent.parent.name}/{log.parent.parent.name}/{log.stem}"
        for log in (home / "warehouse").glob("*/*/_delta_log/*.json")
    ]


def _run_and_kill(settings: Settings, kill: Kill) -> tuple[bool, str]:
    """Start a process; kill it and its JVM once so many commits are there in all.

    Return whether it died of it, and the last commit before.
    """
    known = set(_commits(settings.home))
    last, deadline = "", time.monotonic() + GIVE_UP_SECONDS
    with _running(settings, kill.verb) as process:
        while process.poll() is None and time.monotonic() < deadline:
            now = _commits(settings.home)
            if new := set(now) - known:
                known |= new
                last = max(new)
            if len(now) >= kill.commits:
                time.sleep(kill.delay)
                break
            time.sleep(0.002)
        died = process.poll() is None
    return died, last


@contextmanager
def _running(settings: Settings, verb: str) -> Iterator[subprocess.Popen[Any]]:
    environment = {
        **os.environ,
        "LAKEHOUSE_HOME": str(settings.home),
        "LAKEHOUSE_CONTRACTS": str(settings.contracts),
        "LAKEHOUSE_DBT_PROJECT": str(settings.dbt_project),
        "LAKEHOUSE_DRIVER_MEMORY": "1g",
    }
    process = subprocess.Popen(
        [sys.executable, *PROGRAMS[verb]],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    try:
        yield process
    finally:
        # its JVM is in the same group
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
