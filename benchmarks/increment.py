"""One day's increment against rebuilding everything, each in a process of its own."""

from __future__ import annotations

import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Ran, lakehouse

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "retail"


def increment(folder: Path, scale: str) -> dict[str, Any]:
    """Return seconds and bytes of carrying the third day, and of carrying all of it from nothing.

    Bytes are what Delta says each commit wrote; seconds by layer come from the run ledger.
    """
    grown, rebuilt = folder / "grown", folder / "rebuilt"
    lakehouse(grown, "land", DOMAIN, "--days", "2", "--scale", scale)
    lakehouse(grown, "run", DOMAIN)
    lakehouse(grown, "land", DOMAIN, "--days", "1")
    shutil.copytree(grown / "landing", rebuilt / "landing")
    day = lakehouse(grown, "run", DOMAIN)
    everything = lakehouse(rebuilt, "run", DOMAIN)
    figures = {"increment": _figures(day), "rebuild": _figures(everything)}
    one, all_ = figures["increment"], figures["rebuild"]
    return {
        "scale": scale,
        **figures,
        "ratio_seconds": round(all_["seconds"] / one["seconds"], 1),
        "ratio_bytes": round(all_["bytes"] / max(one["bytes"], 1), 1),
    }


def _figures(ran: Ran) -> dict[str, Any]:
    layers: dict[str, float] = defaultdict(float)
    for step in ran.result["steps"]:
        layers[step["layer"]] += step["seconds"]
    slowest = sorted(ran.result["steps"], key=lambda step: -step["seconds"])[:8]
    return {
        "seconds": ran.seconds,
        "bytes": sum(step["bytes"] for step in ran.result["steps"]),
        "step_seconds_by_layer": {name: round(value, 1) for name, value in layers.items()},
        "slowest": {step["table"]: round(step["seconds"], 1) for step in slowest},
    }
