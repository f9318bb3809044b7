"""The sample source: lands the retail data as a shop's database and its feeds would deliver it.

    <landing>/<dataset>/snapshot/*.parquet          history before the start day
    <landing>/<dataset>/changes/<YYYY-MM-DD>.jsonl  changes of one local day, Debezium envelopes
    <landing>/promotions/drops/week-<NN>.parquet    one week of promotions

Everything follows from the seed, and the place reached is written last: a landing that was killed
starts its day over and writes the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from domains.retail import frames
from domains.retail.envelope import Log
from domains.retail.faults_replay import Replay
from domains.retail.files import LandedFile, write_bytes, write_parquet, write_text
from domains.retail.frames import (
    LAST_DAY,
    SCALES,
    START_DAY,
    Scale,
    batches,
    days,
    expected,
    rows,
    week_of,
)
from domains.retail.replay import SEED, day_commits, overridden
from domains.retail.schemas import DATASETS, KEYS, SCHEMAS
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.quality import fault_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "KEYS",
    "LAST_DAY",
    "SCALES",
    "SEED",
    "START_DAY",
    "Landed",
    "LandedFile",
    "Scale",
    "days",
    "expected",
    "land",
    "landed_days",
    "overridden",
    "rows",
]

_STATE = ".source.json"


@dataclass(frozen=True)
class Landed:
    """What one call landed; no files when nothing was left."""

    files: tuple[LandedFile, ...]
    days: tuple[date, ...]
    rows: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return the same as JSON-ready values."""
        return {
            "files": [{"path": str(f.path), "rows": f.rows, "bytes": f.bytes} for f in self.files],
            "days": [day.isoformat() for day in self.days],
            "rows": dict(self.rows),
        }


@dataclass
class _Place:
    """How far a landing folder has come; `last_day` is the eve of the start once the snapshot stands."""

    last_day: date
    log: Log
    scale: str
    seed: int
    faults: dict[date, int] = field(default_factory=dict)

    def write(self, landing: Path) -> None:
        state = {
            "last_day": self.last_day.isoformat(),
            "next_lsn": self.log.lsn,
            "next_tx": self.log.tx,
            "scale": self.scale,
            "seed": self.seed,
        }
        if self.faults:
            state["faults"] = {day.isoformat(): seed for day, seed in self.faults.items()}
        write_text(landing / _STATE, json.dumps(state, indent=1) + "\n")


def land(
    landing: Path,
    *,
    days: int | None,
    scale: str | None = None,
    faults: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Landed:
    """Land the snapshot where there is none yet, then the next `days` days (None: all that are left).

    `scale` is small for a new landing and the landing's own later; another one is a `UsageError`.
    `faults` is the seed of faults that are planted in these days. They are listed in a sealed
    manifest beside `landing`, with what must become of each.
    """
    if days is not None and days < 0:
        raise UsageError(f"days must be 0 or more, not {days}")
    place = _read_place(landing, scale)
    files: list[LandedFile] = []
    if place is None:
        place = _Place(START_DAY - timedelta(days=1), Log(), _checked_scale(scale or "small"), SEED)
        files += _snapshot(landing, place.scale, progress)
        place.write(landing)
    left = [day for day in frames.days() if day > place.last_day]
    if not left:
        progress(f"nothing left to land after {place.last_day}")
    chosen = left if days is None else left[:days]
    if faults is not None:
        place.faults |= dict.fromkeys(chosen, faults)
    replay = Replay(place.scale, place.seed, place.faults)
    for day in chosen:
        progress(f"changes of {day}")
        files += (
            _faulty_day(landing, day, place, replay) if place.faults else _day(landing, day, place)
        )
        place.last_day = day
        place.write(landing)
    counts = Counter[str]()
    for file in files:
        counts[file.path.relative_to(landing).parts[0]] += file.rows
    return Landed(
        tuple(files), tuple(chosen), {name: counts[name] for name in DATASETS if counts[name]}
    )


def landed_days(landing: Path) -> int | None:
    """Return how many days of changes were landed, None where there is no snapshot yet."""
    place = _read_place(landing, None)
    return None if place is None else sum(day <= place.last_day for day in frames.days())


def _snapshot(landing: Path, scale: str, progress: Callable[[str], None]) -> list[LandedFile]:
    files = []
    for dataset in DATASETS:
        progress(f"snapshot of {dataset}")
        tables = batches(dataset, scale, last=START_DAY - timedelta(days=1))
        path = landing / dataset / "snapshot" / "part-00000.parquet"
        files.append(
            write_parquet(path, (table for table in tables if table.num_rows), SCHEMAS[dataset])
        )
    return files


def _day(landing: Path, day: date, place: _Place) -> list[LandedFile]:
    """Land one day's changes and, on the first landed day of a week, that week's promotions."""
    commits, _ = day_commits(day, place.scale, place.seed)
    lines = defaultdict[str, list[bytes]](list)
    for line in place.log.lines(commits):
        lines[line.change.dataset].append(line.data + b"\n")
    files = [
        write_bytes(
            landing / dataset / "changes" / f"{day}.jsonl",
            b"".join(lines[dataset]),
            len(lines[dataset]),
        )
        for dataset in DATASETS
        if lines[dataset]
    ]
    if day == START_DAY or day.weekday() == 0:
        path = landing / "promotions" / "drops" / f"week-{week_of(day):02d}.parquet"
        tables = batches("promotions", place.scale, first=day, last=day)
        files.append(
            write_parquet(
                path, (table for table in tables if table.num_rows), SCHEMAS["promotions"]
            )
        )
    return files


def _faulty_day(landing: Path, day: date, place: _Place, replay: Replay) -> list[LandedFile]:
    """Land one day where some days have faults, and rewrite the manifest."""
    replay.through(day)
    files = [write_bytes(landing / path, data, rows) for path, data, rows in replay.files(day)]
    write_text(
        fault_manifest.path_of(landing), fault_manifest.text(replay.manifest(landing.name, day))
    )
    place.log = replay.log
    return files


def _read_place(landing: Path, scale: str | None) -> _Place | None:
    path = landing / _STATE
    if not path.exists():
        return None
    try:
        state = json.loads(path.read_text())
        log = Log(state["next_lsn"], state["next_tx"])
        place = _Place(
            date.fromisoformat(state["last_day"]), log, _checked_scale(state["scale"]), state["seed"],
            {date.fromisoformat(day): seed for day, seed in state.get("faults", {}).items()},
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise LakehouseError(
            f"{path} cannot be read ({error}): remove {landing} and land again"
        ) from error
    if scale not in (None, place.scale):
        raise UsageError(
            f"{landing} was landed at scale {place.scale}, not {scale}: leave the scale out, "
            "or land into another folder"
        )
    return place


def _checked_scale(scale: str) -> str:
    if scale not in SCALES:
        raise UsageError(f"scale {scale!r} does not exist; there are {', '.join(SCALES)}")
    return scale
