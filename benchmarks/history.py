"""What history and lateness cost: a day on top of one, four and sixteen years; changes that come late.

Both are timed from the shell, each run in a process of its own. The scale is that of the landing:
the sample's small one has a quarter of its households.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import UTC, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.measure import by_layer, lakehouse
from domains.retail.envelope import REAL, Change, Commit, Log
from domains.retail.frames import START_DAY, row_days
from domains.retail.source import rows
from lakehouse.settings import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "retail"
YEARS = (1, 4, 16)
DAYS = 3
WEEKS_A_YEAR = 52
LATE_ROWS, LATE_DAYS, PAIRS = 1_000, 300, 3
# Columns that are shifted from year to year, and by how much
SHIFTED = {
    "transactions": {"basket_id": 10**13},
    "promotions": {"store_id": 10**6},
}


def history(folder: Path, scale: str) -> dict[str, Any]:
    """Return the median seconds of a day's run on top of so many years, and the ratios to one year.

    The year is repeated with other baskets, each copy 52 weeks before the last: the same households
    have shopped for so long. Promotions, which have no date to shift, are repeated with other
    stores. The days that come on top are the same, and are run in turns, so that a slow moment of
    the machine hits all.
    """
    contracts = _any_year(folder / "contracts")
    loaded = {years: _load(folder / f"history-{years}", scale, years, contracts) for years in YEARS}
    seconds: dict[int, list[float]] = defaultdict(list)
    layers: dict[int, Any] = {}
    for _ in range(DAYS):
        for years in YEARS:
            home = folder / f"history-{years}"
            lakehouse(home, "land", DOMAIN, "--days", "1")
            day = lakehouse(home, "run", DOMAIN, LAKEHOUSE_CONTRACTS=str(contracts))
            print(years, day.seconds, flush=True)
            seconds[years].append(day.seconds)
            layers[years] = by_layer(day.result["steps"])
    one_year = median(seconds[YEARS[0]])
    return {
        "scale": scale,
        "years": {
            str(years): loaded[years]
            | {
                "day_seconds": seconds[years],
                "median": median(seconds[years]),
                "step_seconds_by_layer": layers[years],
            }
            for years in YEARS
        },
        "times_one_year": {str(y): round(median(seconds[y]) / one_year, 2) for y in YEARS},
    }


def _load(home: Path, scale: str, years: int, contracts: Path) -> dict[str, float]:
    """Load so many years into a home; return how many lines they have and the seconds it took."""
    lakehouse(home, "land", DOMAIN, "--days", "0", "--scale", scale)
    _repeat(home / "landing" / DOMAIN, years)
    ran = lakehouse(home, "run", DOMAIN, LAKEHOUSE_CONTRACTS=str(contracts))
    lines = pq.read_metadata(_snapshot(home, "transactions")).num_rows * years
    print(years, lines, ran.seconds, flush=True)
    return {"lines": lines, "load_seconds": ran.seconds}


def late(folder: Path, scale: str) -> dict[str, Any]:
    """Return the median seconds of a thousand changes in order, and of as many that come late.

    In order they are the next new lines. Late they are lines of 300 different days that the
    history lacks, at places in the source's log before all that was loaded. Runs alternate, each
    on a copy of the same home.
    """
    home = folder / "late"
    lakehouse(home, "land", DOMAIN, "--days", "0", "--scale", scale)
    missing = _take_out(_snapshot(home, "transactions"))
    lakehouse(home, "run", DOMAIN)
    lakehouse(home, "land", DOMAIN, "--days", "1")
    lakehouse(home, "run", DOMAIN)
    coming = rows("transactions", scale, first=START_DAY + timedelta(days=1))
    coming = coming.sort_by("transaction_timestamp").slice(0, LATE_ROWS)
    kinds = {"in_order": _log(coming, Log(10**9, 10**6)), "late": _log(missing, Log(1_000, 1))}
    seconds: dict[str, list[float]] = defaultdict(list)
    steps: dict[str, Any] = {}
    for turn in range(PAIRS + 1):
        for kind, lines in kinds.items():
            copy = folder / "turn"
            shutil.copytree(home, copy, copy_function=shutil.copy2)
            path = copy / "landing" / DOMAIN / "transactions" / "changes" / f"{kind}.jsonl"
            path.write_text(lines, encoding="utf-8")
            ran = lakehouse(copy, "run", DOMAIN)
            shutil.rmtree(copy)
            print(kind, ran.seconds, flush=True)
            if turn:  # the first turn fills the page cache
                seconds[kind].append(ran.seconds)
                steps[kind] = by_layer(ran.result["steps"])
    medians = {kind: median(values) for kind, values in seconds.items()}
    return {
        "scale": scale,
        "rows": {"in_order": coming.num_rows, "late": missing.num_rows},
        "late_days": LATE_DAYS,
        "seconds": dict(seconds),
        "medians": medians,
        "step_seconds_by_layer": steps,
        "times_in_order": round(medians["late"] / medians["in_order"], 2),
    }


def _any_year(folder: Path) -> Path:
    """Return a copy of the contracts that lets other years than the sample's pass."""
    shutil.copytree(PROJECT / "contracts" / DOMAIN, folder / DOMAIN)
    path = folder / DOMAIN / "transactions.yaml"
    text = path.read_text(encoding="utf-8")
    first = '"2017-01-01T00:00:00"'
    if text.count(first) != 1:
        raise ValueError(f"{path} has {first} not once")
    path.write_text(text.replace(first, '"1990-01-01T00:00:00"'), encoding="utf-8")
    return folder


def _snapshot(home: Path, dataset: str) -> Path:
    return home / "landing" / DOMAIN / dataset / "snapshot" / "part-00000.parquet"


def _repeat(landing: Path, years: int) -> None:
    for dataset, shifts in SHIFTED.items():
        first = landing / dataset / "snapshot" / "part-00000.parquet"
        table = pq.read_table(first)
        for copy in range(1, years):
            shifted = table
            for column, by in shifts.items():
                shifted = _with(shifted, column, pc.add(table[column], by * copy))
            if dataset == "transactions":
                back = pa.scalar(-copy * WEEKS_A_YEAR * 7 * 86_400 * 10**6, pa.duration("us"))
                moment = pc.add(table["transaction_timestamp"], back)
                shifted = _with(shifted, "transaction_timestamp", moment)
            pq.write_table(shifted, first.with_name(f"part-{copy:05d}.parquet"))


def _with(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    place = table.schema.get_field_index(column)
    return table.set_column(place, table.schema.field(place), values)


def _take_out(path: Path) -> pa.Table:
    """Take a thousand lines of the last 300 days out of the history, evenly, and return them."""
    table = pq.read_table(path)
    days = row_days("transactions", table)
    numbers = (days.max() - days).astype(int)
    a_day = -(-LATE_ROWS // LATE_DAYS)
    taken, counts = [], defaultdict[int, int](int)
    for place, number in enumerate(numbers):
        if number < LATE_DAYS and counts[number] < a_day:
            counts[number] += 1
            taken.append(place)
    taken = taken[:: len(taken) // LATE_ROWS][:LATE_ROWS]
    keep = np.ones(table.num_rows, dtype=bool)
    keep[taken] = False
    pq.write_table(table.filter(pa.array(keep)), path)
    return table.take(pa.array(taken))


def _log(lines: pa.Table, log: Log) -> str:
    """Return lines as a change log of new rows, a commit a line, in the order of their time."""
    created = sorted(lines.to_pylist(), key=lambda row: row["transaction_timestamp"])
    commits = [
        Commit(
            row["transaction_timestamp"].astimezone(UTC),
            (Change("transactions", "c", None, row, REAL),),
        )
        for row in created
    ]
    return "".join(line.text + "\n" for line in log.lines(commits))
