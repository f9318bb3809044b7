"""`python -m benchmarks [--scale small|full] [--only NAME] [--keep FOLDER]`."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: the function that returns its figures, and what it measures in a line."""

    figures: Callable[..., dict[str, Any]]
    measures: str


BENCHMARKS = {
    "demo": Benchmark(demo, "seconds of the demo in an empty home, step by step"),
    "increment": Benchmark(increment, "seconds and bytes of a day against a rebuild of everything"),
    "idle": Benchmark(
        lambda folder, _: idle(folder / "demo"),
        "seconds of commands that have nothing to do, or need no Spark (after demo)",
    ),
    "gate": Benchmark(
        lambda folder, _: gated_write(folder / "demo"),
        "seconds that the contract gate adds to the Delta write it guards (after demo)",
    ),
    "history": Benchmark(history, "seconds of a day on top of one, four and sixteen years"),
    "late": Benchmark(late, "seconds of 1,000 changes that come late, against 1,000 in order"),
    "peers": Benchmark(
        partial(peers, dataset="transactions"),
        "seconds that this gate and its peers add to a write of transactions",
    ),
    "peers-promotions": Benchmark(
        partial(peers, dataset="promotions"),
        "the same for promotions, the largest table",
    ),
}


def parser() -> argparse.ArgumentParser:
    """Return the command line, whose help lists what each benchmark measures."""
    width = max(map(len, BENCHMARKS))
    listed = [f"  {name:{width}}  {benchmark.measures}" for name, benchmark in BENCHMARKS.items()]
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the lakehouse; figures go to benchmarks/results/<benchmark>-<scale>.json.",
        epilog="\n".join(
            [
                "benchmarks:",
                *listed,
                "",
                "texts embedded a second by CPU and GPU: python -m benchmarks.embeddings --help",
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--scale", choices=("small", "full"), default="small", help="of the sample")
    made.add_argument(
        "--only", metavar="NAME", choices=tuple(BENCHMARKS), action="append",
        help="this benchmark, several times for several; all without it",
    )  # fmt: skip
    made.add_argument(
        "--peer", metavar="NAME", choices=tuple(PEERS), action="append",
        help=f"only this peer of the peers' benchmarks: {', '.join(PEERS)}",
    )  # fmt: skip
    made.add_argument("--keep", type=Path, help="use this folder and leave it there")
    return made


def main() -> None:
    """Run the chosen benchmarks and write the figures of each."""
    given = parser().parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="lakehouse-benchmarks-"))
    for name in given.only or BENCHMARKS:
        chosen = {"chosen": given.peer} if given.peer and name.startswith("peers") else {}
        figures = BENCHMARKS[name].figures(folder, given.scale, **chosen)
        path = write(f"{name}-{given.scale}", figures)
        print(path.name, json.dumps({k: v for k, v in figures.items() if k != "tables"}, indent=1))
    if given.keep is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
