"""`python -m proofs [--logs 500] [--extra 20] [--seed N]`: convergence and kills, in one table.

What the proofs' own small shop lacks, the landing of a sample source and the streams of the
platinum layer, is killed by the tests; they are run and counted here too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

from lakehouse.engine.session import spark
from lakehouse.settings import PROJECT, Settings
from proofs.convergence import shrunk, try_pack
from proofs.kills import PROGRAMS, Harness, points
from proofs.log import Pack

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOGS_A_PACK = 100
RUNS = 3


def main() -> int:
    """Try logs and kills; print what was tried and what failed; return 1 where anything did."""
    parser = argparse.ArgumentParser(prog="proofs", description=__doc__)
    parser.add_argument("--logs", type=int, default=500, help="random logs (500)")
    parser.add_argument("--kills", type=int, help="kill points to try; every boundary if left out")
    parser.add_argument("--extra", type=int, default=20, help="kills between commits (20)")
    parser.add_argument(
        "--verbs", nargs="*", choices=PROGRAMS, default=[*PROGRAMS], help="what to kill"
    )
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    given = parser.parse_args()
    out = Console()
    out.print(f"seed {given.seed}")
    table = Table("proof", "tried", "failed", "seconds")
    with tempfile.TemporaryDirectory(prefix="proofs-") as name:
        folder = Path(name)
        session = spark(Settings(home=folder / "session", driver_memory="2g"))
        failed = _convergence(out, table, session, folder / "logs", given)
        if given.verbs:
            failed += _kills(out, table, session, folder / "kills", given)
        session.stop()
        failed += _tests(out, table, folder / "tests.xml")
    out.print(table)
    return 1 if failed else 0


def _convergence(
    out: Console,
    table: Table,
    session: SparkSession,
    folder: Path,
    given: argparse.Namespace,
) -> int:
    start, failed = time.monotonic(), 0
    for first in range(0, given.logs, LOGS_A_PACK):
        groups = tuple(range(first + 1, min(first + LOGS_A_PACK, given.logs) + 1))
        pack = Pack(given.seed, groups)
        found = try_pack(session, folder, pack, RUNS, given.seed)
        out.print(f"logs {groups[0]} to {groups[-1]}: {len(found)} differences")
        if found:
            failed += 1
            small, left = shrunk(lambda p: try_pack(session, folder, p, RUNS, given.seed), pack)
            out.print(f"smallest that fails: {small}", *left[:10], sep="\n")
    seconds = f"{time.monotonic() - start:.0f}"
    table.add_row(
        f"any order, repetition, split in {RUNS} runs", f"{given.logs} logs", str(failed), seconds
    )
    return failed


def _kills(
    out: Console,
    table: Table,
    session: SparkSession,
    folder: Path,
    given: argparse.Namespace,
) -> int:
    harness = Harness(session, folder, Pack(given.seed, tuple(range(1, 11))))
    commits = {verb: harness.commits(verb) for verb in given.verbs}
    chosen = [
        kill
        for verb, count in commits.items()
        for kill in points(
            count, given.extra if verb == "run" else given.extra // 4, given.seed, verb
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
        verdict = "the same" if not trial.differences else f"{len(trial.differences)} differences"
        how = "killed" if trial.died else "ended by itself"
        out.print(
            f"{number}/{len(chosen)} {how} after {trial.last_commit or 'no commit'}: {verdict}"
        )
        for difference in trial.differences[:5]:
            out.print(f"  {difference}", markup=False)
    seconds = f"{time.monotonic() - start:.0f}"
    for layer, count in sorted(tried.items()):
        table.add_row(f"killed in {layer}", f"{count} points", str(wrong[layer]), "")
    boundaries = ", ".join(f"{count} commits a {verb}" for verb, count in commits.items())
    table.add_row(
        f"killed anywhere ({boundaries})",
        f"{len(chosen)} points",
        str(sum(wrong.values())),
        seconds,
    )
    return sum(wrong.values())


def _tests(out: Console, table: Table, report: Path) -> int:
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "killed and not proofs", f"--junitxml={report}"],
        cwd=PROJECT, stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    tried: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for case in ET.parse(report).iter("testcase"):
        suite = case.get("classname", "").removeprefix("tests.")
        tried[suite] += 1
        bad = len(case) and case[0].tag in {"failure", "error"}
        wrong[suite] += bad
        if bad:
            out.print(f"failed: {suite}.{case.get('name')}", markup=False)
    if done.returncode and not wrong.total():
        wrong["pytest"] += 1
        out.print(f"pytest ended with {done.returncode}: not all tests were run")
    for suite, count in sorted(tried.items()):
        table.add_row(f"killed by a test: {suite}", f"{count} tests", str(wrong[suite]), "")
    seconds = f"{time.monotonic() - start:.0f}"
    table.add_row("killed by a test", f"{tried.total()} tests", str(wrong.total()), seconds)
    return wrong.total()


if __name__ == "__main__":
    raise SystemExit(main())
