"""What a command costs that has nothing to do, or needs no Spark."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.measure import files, lakehouse

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "retail"
VERBS = {
    "run": ("run", DOMAIN),
    "status": ("status", DOMAIN),
    "contracts check": ("contracts", "check"),
    "quarantine list": ("quarantine", "list", DOMAIN),
    "features list": ("features", "list", DOMAIN),
    "report": ("report",),
}
RUNS = 5


def idle(home: Path) -> dict[str, Any]:
    """Return the median seconds of each verb on a home where everything is loaded."""
    seconds = {}
    for name, verb in VERBS.items():
        before = files(home)
        times = [lakehouse(home, *verb).seconds for _ in range(RUNS)]
        changed = [path for path in files(home).items() if path not in before.items()]
        if name == "run" and changed:
            raise AssertionError(f"a run with nothing new wrote {changed[:3]}")
        seconds[name] = {"median": median(times), "min": min(times), "max": max(times)}
    return {"seconds": seconds, "runs": RUNS, "run_writes": 0}
