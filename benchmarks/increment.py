"""One day's increment against rebuilding everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import by_layer, lakehouse
from lakehouse.settings import Settings
from pipeline.run import run_layers

DOMAIN = "retail"


def increment(folder: Path, scale: str) -> dict[str, Any]:
    """Return seconds and bytes of loading everything from nothing, then of loading a day.

    The first day is loaded by a process that starts cold, as a scheduled run does; the second by
    the same process, as one that is left on does. Everything is the history and two days. Bytes
    are those that each commit added by Delta's log; seconds by layer come from the run ledger.
    """
    home = folder / "increment"
    lakehouse(home, "land", DOMAIN, "--days", "2", "--scale", scale)
    ran = lakehouse(home, "run", DOMAIN)
    rebuild = _figures(ran.result["steps"], ran.seconds)
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.increment", str(home), str(time.time())],
        env={**os.environ, "LAKEHOUSE_HOME": str(home)},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    cold, warm = json.loads(child.stdout.splitlines()[-1])
    return {
        "scale": scale,
        "rebuild": rebuild,
        "cold day": cold | _ratios(rebuild, cold),
        "warm day": warm | _ratios(rebuild, warm),
    }


def _ratios(everything: dict[str, Any], day: dict[str, Any]) -> dict[str, float]:
    return {
        "times_less_seconds": round(everything["seconds"] / day["seconds"], 1),
        "times_fewer_bytes": round(everything["bytes"] / max(day["bytes"], 1), 1),
    }


def _figures(steps: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    slowest = sorted(steps, key=lambda step: -step["seconds"])[:8]
    return {
        "seconds": round(seconds, 1),
        "bytes": sum(step["bytes"] for step in steps),
        "step_seconds_by_layer": by_layer(steps),
        "slowest": {step["table"]: round(step["seconds"], 1) for step in slowest},
    }


def _two_days(home: Path, started: float) -> list[dict[str, Any]]:
    """Land and load two days in this process; the first counts from the process's start."""
    settings, figures = Settings(home=home), []
    for _ in range(2):
        before = time.time()
        lakehouse(home, "land", DOMAIN, "--days", "1")
        started = started + time.time() - before if not figures else time.time()
        steps = run_layers(settings, DOMAIN).to_dict()["steps"]
        figures.append(_figures(steps, time.time() - started))
    return figures


if __name__ == "__main__":
    print(json.dumps(_two_days(Path(sys.argv[1]), float(sys.argv[2]))))
