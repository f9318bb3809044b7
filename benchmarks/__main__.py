"""`python -m benchmarks [--scale small|full] [--only NAME] [--keep FOLDER]`."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.gate import gated_write
from benchmarks.history import history, late
from benchmarks.idle import idle
from benchmarks.increment import increment
from benchmarks.measure import lakehouse, write
from benchmarks.peer_checks import PEERS
from benchmarks.peers import peers
from lakehouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable


def demo(folder: Path, scale: str) -> dict[str, Any]:
    """Return the seconds of the demo in an empty home, step by step."""
    ran = lakehouse(folder / "demo", "demo", "--scale", scale)
    return {
        "scale": scale,
        "seconds": ran.seconds,
        "driver_heap": settings().driver_memory,
        "steps": ran.result["steps"],
        "tables": ran.result["tables"],
    }


BENCHMARKS: dict[str, Callable[..., dict[str, Any]]] = {
    "demo": demo,
    "increment": increment,
    "idle": lambda folder, _: idle(folder / "demo"),
    "gate": lambda folder, _: gated_write(folder / "demo"),
    "history": history,
    "late": late,
    "peers": partial(peers, dataset="transactions"),
    "peers-promotions": partial(peers, dataset="promotions"),
}


def main() -> None:
    """Run the benchmarks that were asked for and write each one's figures."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--scale", choices=("small", "full"), default="small")
    parser.add_argument("--only", choices=tuple(BENCHMARKS), action="append")
    parser.add_argument("--peer", choices=tuple(PEERS), action="append", help="only these peers")
    parser.add_argument("--keep", type=Path, help="use this folder and leave it there")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="lakehouse-benchmarks-"))
    for name in given.only or BENCHMARKS:
        asked = {"asked": given.peer} if given.peer and name.startswith("peers") else {}
        figures = BENCHMARKS[name](folder, given.scale, **asked)
        path = write(f"{name}-{given.scale}", figures)
        print(path.name, json.dumps({k: v for k, v in figures.items() if k != "tables"}, indent=1))
    if given.keep is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
