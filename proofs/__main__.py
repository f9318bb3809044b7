"""`python -m proofs [--only PART ...] [--seed N]`: tries what is promised and prints one table.

The parts are `logs` (convergence of random change logs), `kills` (of the proofs' own small shop),
`faults` (kills while planted faults are pending) and `tests` (those of the test suite that kill:
landings, rollbacks, streams and inference jobs).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

from lakehouse.engine.session import spark
from lakehouse.settings import PROJECT, Settings
from proofs import fault_kills
from proofs.convergence import shrunk, try_pack
from proofs.kills import PROGRAMS, Harness, points
from proofs.log import Pack

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOGS_A_PACK = 100
RUNS = 3


@dataclass
class Report:
    """What was tried: lines as it goes, a table at the end, the count of what failed."""

    out: Console = field(default_factory=Console)
    table: Table = field(default_factory=lambda: Table("proof", "tried", "failed", "seconds"))
    failed: int = 0

    def line(self, text: object) -> None:
        """Print a line as it is."""
        self.out.print(text, markup=False, highlight=False, soft_wrap=True)

    def part(self, proof: str, tried: str, failed: int | None = None) -> None:
        """Add a row about some of a proof; what failed is counted in the proof's own row."""
        self.table.add_row(proof, tried, "" if failed is None else str(failed), "")

    def proof(self, name: str, tried: str, failed: int, start: float) -> None:
        """Add a proof's own row and count what failed."""
        self.table.add_row(name, tried, str(failed), f"{time.monotonic() - start:.0f}")
        self.failed += failed


def main() -> int:
    """Run the parts asked for; return 1 where anything failed."""
    given = _arguments()
    report = Report()
    report.line(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="proofs-") as name:
        folder = Path(name)
        if {"logs", "kills", "faults"} & set(given.only):
            session = spark(Settings(home=folder / "session", driver_memory="2g"))
            if "logs" in given.only:
                _convergence(report, session, folder / "logs", given)
            if "kills" in given.only and given.verbs:
                _kills(report, session, folder / "kills", given)
            if "faults" in given.only:
                _fault_kills(report, session, folder / "faults", given)
            session.stop()
        if "tests" in given.only:
            _tests(report, folder / "tests.xml")
    report.out.print(report.table)
    return 1 if report.failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="proofs", description=__doc__)
    parts = ["logs", "kills", "faults", "tests"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="parts to run")
    parser.add_argument("--logs", type=int, default=500, help="random logs (500)")
    parser.add_argument("--kills", type=int, help="kill points to try; every boundary if left out")
    parser.add_argument("--between", type=int, default=20, help="kills between commits (20)")
    parser.add_argument(
        "--verbs", nargs="*", choices=PROGRAMS, default=[*PROGRAMS], help="what to kill"
    )
    parser.add_argument(
        "--fault-kills", type=int, default=120, help="kills while faults are pending, in all (120)"
    )
    parser.add_argument(
        "--fault-seeds", type=int, default=10, help="seeds of faults, from --seed on (10)"
    )
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    return parser.parse_args()


def _convergence(
    report: Report, session: SparkSession, folder: Path, given: argparse.Namespace
) -> None:
    start, failed = time.monotonic(), 0
    for first in range(0, given.logs, LOGS_A_PACK):
        groups = tuple(range(first + 1, min(first + LOGS_A_PACK, given.logs) + 1))
        pack = Pack(given.seed, groups)
        differences = try_pack(session, folder, pack, RUNS, given.seed)
        report.line(f"logs {groups[0]} to {groups[-1]}: {len(differences)} differences")
        if differences:
            failed += 1
            small, left = shrunk(lambda p: try_pack(session, folder, p, RUNS, given.seed), pack)
            report.line(f"smallest that fails: {small}")
            for difference in left[:10]:
                report.line(difference)
    name = f"any order, repetition, split in {RUNS} runs"
    report.proof(name, f"{given.logs} logs", failed, start)


def _kills(report: Report, session: SparkSession, folder: Path, given: argparse.Namespace) -> None:
    harness = Harness(session, folder, Pack(given.seed, tuple(range(1, 11))))
    commits = {verb: harness.commits(verb) for verb in given.verbs}
    chosen = [
        kill
        for verb, count in commits.items()
        for kill in points(
            count, given.between if verb == "run" else given.between // 4, given.seed, verb
        )
    ]
    if given.kills is not None:
        chosen = Random(given.seed).sample(chosen, min(given.kills, len(chosen)))
    tried: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    start = time.monotonic()
    for number, kill in enumerate(chosen, start=1):
        trial = harness.trial(kill)
        tried[trial.layer] += 1
        wrong[trial.layer] += bool(trial.differences)
        outcome = f"{len(trial.differences)} differences" if trial.differences else "the same"
        how = "killed" if trial.died else "ended by itself"
        last = trial.last_commit or "no commit"
        report.line(f"{number}/{len(chosen)} {how} after {last}: {outcome}")
        for difference in trial.differences[:5]:
            report.line(f"  {difference}")
    for layer, count in sorted(tried.items()):
        report.part(f"killed in {layer}", f"{count} points", wrong[layer])
    boundaries = ", ".join(f"{count} commits a {verb}" for verb, count in commits.items())
    report.proof(f"killed anywhere ({boundaries})", f"{len(chosen)} points", wrong.total(), start)


def _fault_kills(
    report: Report, session: SparkSession, folder: Path, given: argparse.Namespace
) -> None:
    harness = fault_kills.Harness(session, folder)
    kills = -(-given.fault_kills // given.fault_seeds)
    points: Counter[str] = Counter()
    start, failed, twins = time.monotonic(), 0, 0
    for seed in range(given.seed, given.seed + given.fault_seeds):
        trial = harness.seed(seed, kills)
        points += trial.points
        twins += trial.twins
        failed += bool(trial.problems)
        outcome = "as promised" if not trial.problems else f"{len(trial.problems)} problems"
        report.line(f"faults of seed {seed}, {trial.kills} runs killed: {outcome}")
        if trial.problems:
            for line in [*trial.history, *trial.problems[:10]]:
                report.line(f"  {line}")
            again = f"--only faults --seed {seed} --fault-seeds 1 --fault-kills {kills}"
            report.line(f"  again: python -m proofs {again}")
    for stage, count in points.items():
        report.part(f"killed with faults pending: {stage}", f"{count} points")
    report.part("killed with a re-sent file in the plan", f"{twins} points")
    name = f"killed with faults pending ({points.total()} kills)"
    report.proof(name, f"{given.fault_seeds} seeds", failed, start)


def _tests(report: Report, results: Path) -> None:
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "killed and not proofs", f"--junitxml={results}"],
        cwd=PROJECT, stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    tried: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for case in ET.parse(results).iter("testcase"):
        suite = case.get("classname", "").removeprefix("tests.")
        tried[suite] += 1
        bad = len(case) and case[0].tag in {"failure", "error"}
        wrong[suite] += bad
        if bad:
            report.line(f"failed: {suite}.{case.get('name')}")
    if done.returncode and not wrong.total():
        wrong["pytest"] += 1
        report.line(f"pytest ended with {done.returncode}: not all tests were run")
    for suite, count in sorted(tried.items()):
        report.part(f"killed by a test: {suite}", f"{count} tests", wrong[suite])
    report.proof("killed by a test", f"{tried.total()} tests", wrong.total(), start)


if __name__ == "__main__":
    raise SystemExit(main())
