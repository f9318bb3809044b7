"""Runs the command line as a user does and notes the machine it ran on."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "pyspark",
    "delta-spark",
    "deltalake",
    "dbt-core",
    "pyarrow",
    "duckdb",
    "wordllama",
    "torch",
)


@dataclass(frozen=True)
class Ran:
    """One command: what it printed as JSON, and its wall seconds."""

    result: Any
    seconds: float


def lakehouse(home: Path, *arguments: str, **environment: str) -> Ran:
    """Run one verb with `--json` in a process of its own; raise where it fails."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments, "--json"],
        env={**os.environ, "LAKEHOUSE_HOME": str(home), **environment},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    seconds = time.monotonic() - start
    return Ran(json.loads(done.stdout), round(seconds, 2))


def by_layer(steps: list[dict[str, Any]]) -> dict[str, float]:
    """Return the seconds of a run's steps by layer; steps run side by side, so they add up to more."""
    layers: dict[str, float] = {}
    for step in steps:
        layers[step["layer"]] = layers.get(step["layer"], 0.0) + step["seconds"]
    return {layer: round(seconds, 1) for layer, seconds in layers.items()}


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, memory, versions."""
    processor = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return {
        "processor": processor[1] if processor else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory[1]) / 1e6) if memory else None,
        "python": platform.python_version(),
        "packages": dict(_versions()),
        "load_before": os.getloadavg()[0],
    }


def _versions() -> Iterator[tuple[str, str]]:
    """Yield the versions of what is installed; a backend may be measured on its own."""
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def write(name: str, figures: dict[str, Any]) -> Path:
    """Write one benchmark's figures beside the others and return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    document = {"benchmark": name, "at": time.strftime("%Y-%m-%d"), "machine": machine(), **figures}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}
