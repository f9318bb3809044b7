"""The replay with faults: the files of each day, and the manifest of the promised outcomes.

Everything is derived again from the first day on, so a landing that was killed, or that goes on
another day, needs to remember no more than which days had faults.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from domains.retail.envelope import Line, Log
from domains.retail.faults_files import DayFiles, arrange, key_of
from domains.retail.faults_ledger import Ledger
from domains.retail.files import write_parquet
from domains.retail.frames import START_DAY, batches, days, week_of
from domains.retail.replay import day_commits
from domains.retail.schemas import DATASETS, KEYS, SCHEMAS
from lakehouse.quality.fault_manifest import Fault, Manifest

DROPS = "promotions"
_EVE = START_DAY - timedelta(days=1)


class Replay:
    """All days of a landing folder in which some had faults; `faults` has the seed of each."""

    def __init__(self, scale: str, seed: int, faults: dict[date, int]) -> None:
        self.scale, self.seed, self.faults = scale, seed, faults
        self.log = Log()
        self.days: list[DayFiles] = []

    def through(self, day: date) -> None:
        """Replay the days that are not replayed yet, up to one."""
        for next_day in days()[len(self.days) :]:
            if next_day > day:
                break
            seed = self.faults.get(next_day)
            commits, plants = day_commits(next_day, self.scale, self.seed, seed)
            carried = self.days[-1].carried if self.days else []
            lines = self.log.lines(commits)
            self.days.append(arrange(next_day, lines, plants, seed, carried))

    def files(self, day: date) -> list[tuple[str, bytes, int]]:
        """Return path below the landing folder, bytes and rows of each file to land on a day."""
        files = [file for arranged in self.days for file in arranged.files if file.landed == day]
        return [(file.path, file.data, len(file.copies)) for file in files] + self._drops(day)

    def _drops(self, day: date) -> list[tuple[str, bytes, int]]:
        """Return the week's promotions; with faults they come cut short, and whole the day after."""
        again = day == START_DAY + timedelta(days=1) and START_DAY in self.faults
        week = START_DAY if again else day
        if week != START_DAY and week.weekday() != 0:
            return []
        whole = drop(week, self.scale)
        if day == START_DAY and day in self.faults:
            return [(drop_path(week), whole[: len(whole) * 3 // 5], 0)]
        rows = pq.read_metadata(pa.BufferReader(whole)).num_rows
        return [(drop_path(week), whole, rows)]

    def manifest(self, domain: str, through: date) -> Manifest:
        """Return the manifest of what has landed by the end of a day."""
        ledger = Ledger(self.scale)
        for name in DATASETS:
            ledger.snapshot(name, _EVE)
        if START_DAY not in self.faults or through > START_DAY:
            ledger.drop(DROPS, START_DAY, through)
        for arranged in self.days:
            for file in arranged.files:
                if file.landed <= through and not file.twin:
                    ledger.add(file.dataset, file.copies, torn=bool(file.tail))
        faults = [
            fault for arranged in self.days if arranged.day <= through
            for fault in [*self._planted(arranged, ledger), *self._sent(arranged, ledger)]
        ]  # fmt: skip
        if START_DAY in self.faults:
            faults.append(_cut_drop(self.scale))
        seeds = {str(day): seed for day, seed in sorted(self.faults.items())}
        # A broken file stops its dataset; the source does not know whether it had rows before.
        stopped = {fault.dataset for fault in faults if fault.promise == "replaced"}
        whole = [name for name in DATASETS if through > START_DAY or name not in stopped]
        expected = {name: ledger.expected(name) for name in whole}
        return Manifest(domain, str(through), seeds, tuple(faults), expected)

    def _planted(self, arranged: DayFiles, ledger: Ledger) -> list[Fault]:
        faults = []
        for plant in arranged.plants:
            lines = [arranged.lines[id(change)] for change in plant.changes]
            line, fields = lines[plant.about], dict(plant.fields)
            keys = dict.fromkeys(key_of(line) for line in lines) if plant.history else ()
            if fields.get("rule") == "unreadable":
                fields["line"] = hashlib.sha256(line.data).hexdigest()
            if due := arranged.sent_on.get(id(line.change)):
                fields["due"] = str(due)
            fields |= {
                "kind": plant.kind,
                "description": plant.description,
                "promise": plant.promise,
            }
            faults.append(_fault(arranged.day, fields, line, tuple(keys), ledger))
        return faults

    def _sent(self, arranged: DayFiles, ledger: Ledger) -> list[Fault]:
        faults = []
        for sent in arranged.sent:
            fields = sent.fields | ({"due": str(sent.due)} if sent.due else {})
            faults.append(_fault(arranged.day, fields, sent.line, sent.keys, ledger))
        return faults


def _fault(
    day: date, fields: dict[str, Any], line: Line | None, keys: tuple[tuple, ...], ledger: Ledger
) -> Fault:
    if line is not None:
        name = line.change.dataset
        fields = fields | {"dataset": name}
        if "line" not in fields:
            fields["position"] = line.position
        if fields["promise"] == "contradicted":
            fields["contents"] = ledger.contents(name, line.position)
            fields |= {"column": ", ".join(KEYS[name]), "rule": "unique"}
        elif fields["promise"] != "quarantined":
            # what is not sent yet has no content yet
            fields["content"] = next(iter(ledger.contents(name, line.position)), "")
        fields["histories"] = tuple(
            {"key": dict(zip(KEYS[name], key, strict=True)), "events": ledger.history(name, key)}
            for key in keys
        )
    fields.setdefault("dataset", fields.get("file", "").partition("/")[0])
    return Fault(day=str(day), **fields)


def _cut_drop(scale: str) -> Fault:
    whole = drop(START_DAY, scale)
    return Fault(
        kind="truncated file", dataset=DROPS, day=str(START_DAY), promise="replaced",
        description="a Parquet file cut short, sent again whole under its name",
        due=str(START_DAY + timedelta(days=1)), file=drop_path(START_DAY),
        sha256=hashlib.sha256(whole[: len(whole) * 3 // 5]).hexdigest(),
        good=hashlib.sha256(whole).hexdigest(),
    )  # fmt: skip


def drop_path(day: date) -> str:
    """Return where a week's promotions lie below the landing folder."""
    return f"{DROPS}/drops/week-{week_of(day):02d}.parquet"


@lru_cache(maxsize=1)
def drop(day: date, scale: str) -> bytes:
    """Return the file of a week's promotions as bytes."""
    tables = (table for table in batches(DROPS, scale, first=day, last=day) if table.num_rows)
    with tempfile.TemporaryDirectory() as folder:
        return write_parquet(Path(folder, "drop"), tables, SCHEMAS[DROPS]).path.read_bytes()
