"""The same rules over the same rows, by us and by others, each in a process of its own.

Peers that the project does not depend on are installed into environments of their own, below
`<tools>/peers` (or `LAKEHOUSE_PEERS`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peer_checks import PEERS
from benchmarks.peer_data import rules_of, write_rows
from contracts.parsing.load import load_domain
from lakehouse.engine import gateway, session
from lakehouse.settings import PROJECT, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

# Peer -> what is installed for it, where the project's own environment lacks it
APART = {
    "dqx": ("databricks-labs-dqx==0.17.0", "pyspark==4.2.0", "pandas<3", "pyarrow"),
    "lakelogic": ("lakelogic==1.84.0", "pyspark==4.2.0", "pandas<3", "pyarrow"),
}
# What a peer took too long for with a fourteenth of the rows is not tried.
NOT_TRIED = {
    ("lakelogic", "promotions", "full"): "not tried: not done with 1.47 M rows after 6 minutes"
}
HERE = Path(__file__).parent
RUNS = 5
SMALL = 20_000
MINUTES = 8


def peers(
    folder: Path, scale: str, dataset: str, chosen: Sequence[str] = tuple(PEERS)
) -> dict[str, Any]:
    """Return what each peer costs above the bare write of a dataset, and what comes out of it."""
    settings = Settings(home=folder / "peers")
    settings.home.mkdir(parents=True, exist_ok=True)
    contract = load_domain(settings.contracts, "retail")[dataset]
    rows = settings.home / f"{dataset}.parquet"
    count, planted = write_rows(contract, rows, SMALL if scale == "small" else None)
    spec = {
        "domain": "retail", "dataset": dataset, "contracts": str(settings.contracts),
        "rows": str(rows), "folder": str(settings.home / "written"), "runs": RUNS,
        "master": settings.spark_master, "spark": _options(settings), **rules_of(contract),
    }  # fmt: skip
    figures: dict[str, Any] = {}
    for name in chosen:
        reason = NOT_TRIED.get((name, dataset, scale))
        python = reason or _python(name, settings)
        figures[name] = _run(name, python, spec, settings.home)
        # Shown at once: a whole run takes long, and one peer may not come back.
        print(dataset, name, json.dumps(figures[name]), flush=True)
    rows.unlink()
    return {
        "scale": scale, "dataset": dataset, "rows": count, "rules": len(spec["rules"]),
        "planted_failing_rows": planted, "peers": figures,
    }  # fmt: skip


def _options(settings: Settings) -> dict[str, str]:
    """Return the Spark settings of every peer: our session's, with the jars on the class path."""
    return session.options(settings) | {
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraClassPath": ":".join(map(str, gateway.jars(settings))),
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    }


def _python(name: str, settings: Settings) -> Path | str:
    """Return the interpreter of a peer, installed where it is not, or why there is none."""
    if name not in APART:
        return Path(sys.executable)
    place = Path(os.environ.get("LAKEHOUSE_PEERS") or settings.tools / "peers") / name
    python = place / "bin" / "python"
    if python.exists():
        return python
    uv = shutil.which("uv") or str(settings.tools / "uv" / "bin" / "uv")
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(place)],
        [uv, "pip", "install", "--quiet", "--python", str(python), *APART[name]],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            return f"not installed: {error}"
        if done.returncode:
            shutil.rmtree(place, ignore_errors=True)
            return f"not installed: {done.stderr.strip()[-300:]}"
    return python


def _run(name: str, python: Path | str, spec: dict[str, Any], home: Path) -> dict[str, Any]:
    """Return a peer's figures, or why there are none."""
    if isinstance(python, str):
        return {"did_not_run": python}
    path = home / "spec.json"
    path.write_text(json.dumps({**spec, "peer": name}, default=str), encoding="utf-8")
    environment = {
        **os.environ,
        # Spark's Python workers look for the peers' code here too.
        "PYTHONPATH": os.pathsep.join([str(HERE)] if name in APART else [str(HERE), str(PROJECT)]),
        "PYSPARK_PYTHON": str(python),
        "GX_ANALYTICS_ENABLED": "false",
    }
    try:
        done = subprocess.run(
            [str(python), str(HERE / "peer_run.py"), str(path)],
            capture_output=True, text=True, check=False, env=environment, timeout=MINUTES * 60,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"did_not_run": f"not done after {MINUTES} minutes"}
    shutil.rmtree(home / "written", ignore_errors=True)
    if done.returncode:
        lines = [
            line for line in done.stderr.splitlines() if re.match(r"[\w.]*(Error|Exception)", line)
        ]
        return {"did_not_run": (lines or [done.stderr.strip()])[-1][-600:]}
    return json.loads(done.stdout.strip().splitlines()[-1])
