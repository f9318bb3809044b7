"""`python peer_run.py SPEC.json`: one peer in a process and environment of its own, timed.

The spec names the peer, the rows, the rules and the Spark settings, the same for each peer. The
last line printed is the result as JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession

sys.path.insert(0, str(Path(__file__).parent))
from peer_checks import PEERS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


# Turns that are not counted, while the JVM compiles and optimises what it runs: two, or one that
# takes so long that it has.
WARM_UP, WARM_SECONDS = 2, 30
# A peer that takes longer gets no further turn once it has had one beside the warm-up.
ENOUGH_SECONDS = 90


class Writer:
    """Writes Delta tables below a folder and reads back how many rows they took."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, rows: DataFrame, name: str, *, count: bool | str = False) -> int | None:
        """Write a table; with `count`, return its rows, or those that meet a condition."""
        path = str(self.folder / name)
        rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(path)
        if not count:
            return None
        written = rows.sparkSession.read.format("delta").load(path)
        return (written if count is True else written.where(count)).count()

    def clear(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> None:
    """Run the peer beside the bare write, turn by turn, so that a slow moment hits both."""
    spec: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    builder = SparkSession.builder.master(spec["master"])
    for key, value in spec["spark"].items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    rows, write = spark.read.parquet(spec["rows"]), Writer(Path(spec["folder"]))
    names = [column["name"] for column in spec["columns"]]
    bare = rows.select(*names, "_op")
    peer = PEERS[spec["peer"]]
    times: dict[str, list[float]] = {"bare": [], "peer": []}
    jobs, outcome = {"bare": 0, "peer": 0}, (None, False)
    begun, warming = time.monotonic(), WARM_UP
    while len(times["peer"]) < spec["runs"]:
        if times["peer"] and time.monotonic() - begun > ENOUGH_SECONDS:
            break
        for writer, taken in times.items():
            group = f"{writer} {warming} {len(taken)}"
            spark.sparkContext.setJobGroup(group, group)
            start = time.monotonic()
            if writer == "bare":
                write(bare, "good")
            else:
                outcome = peer(rows, spec, write)
            seconds = time.monotonic() - start
            jobs[writer] = len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))
            write.clear()
            if not warming:
                taken.append(seconds)
        if warming:
            warming = 0 if time.monotonic() - begun > WARM_SECONDS else warming - 1
    medians = {writer: median(values) for writer, values in times.items()}
    print(
        json.dumps(
            {
                "seconds": round(medians["peer"], 2),
                "bare_seconds": round(medians["bare"], 2),
                "added_seconds": round(medians["peer"] - medians["bare"], 2),
                "added_percent": round(100 * (medians["peer"] / medians["bare"] - 1), 1),
                "runs": len(times["peer"]),
                "jobs": jobs["peer"],
                "bare_jobs": jobs["bare"],
                "failing_rows": outcome[0],
                "reasons": outcome[1],
            }
        )
    )
    spark.stop()


if __name__ == "__main__":
    main()
