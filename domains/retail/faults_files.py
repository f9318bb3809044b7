"""Faults of files: which lines a day's files have, and what is sent late, twice, torn or in disorder."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from domains.retail.envelope import REAL, Line
from domains.retail.faults_rows import CONFLICT, CONFLICT_PLACES, DELETE_FIRST, other_way
from domains.retail.frames import days
from domains.retail.schemas import DATASETS, KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from domains.retail.faults import Plant

_DUPLICATES, _LATE, _REORDERED = 2, 3, 3
_REPLAYED, _TORN, _MISSING = "transactions", "coupon_redemptions", "demographics"


@dataclass(frozen=True)
class Copy:
    """One line in one file. A `contested` one contradicts another copy of its place."""

    line: Line
    state: Literal["good", "bad", "contested"]


@dataclass
class File:
    """One file of changes and the day it is landed on; a `twin` repeats another under its own name."""

    dataset: str
    name: str
    landed: date
    copies: list[Copy]
    tail: bytes = b""
    twin: bool = False

    @property
    def path(self) -> str:
        """Return where it lies below the landing folder."""
        return f"{self.dataset}/changes/{self.name}.jsonl"

    @property
    def data(self) -> bytes:
        """Return its bytes: a line a copy, then the piece of a line that was cut."""
        return b"".join(copy.line.data + b"\n" for copy in self.copies) + self.tail

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Sent:
    """One fault of a day that its files make: the fields of its promise, its line, date and keys."""

    fields: dict[str, Any]
    line: Line | None = None
    due: date | None = None
    keys: tuple[tuple, ...] = ()


@dataclass
class DayFiles:
    """The files of one day, some landed on the next, the copies that go into the next day's files.

    `sent_on` is the day on which a delayed change is sent, by its identity.
    """

    day: date
    plants: list[Plant]
    lines: dict[int, Line]
    files: list[File] = field(default_factory=list)
    carried: list[Copy] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    sent_on: dict[int, date] = field(default_factory=dict)


def arrange(
    day: date,
    lines: Iterable[Line],
    plants: list[Plant],
    faults: int | None,
    carried: Iterable[Copy] = (),
) -> DayFiles:
    """Return the day's files, with faults where `faults` is a seed."""
    lines = list(lines)
    bad = {id(c) for plant in plants if plant.promise == "quarantined" for c in plant.changes}
    arranged = DayFiles(day, plants, {id(line.change): line for line in lines})
    copies = defaultdict[str, list[Copy]](list)
    for line in lines:
        copies[line.change.dataset].append(Copy(line, "bad" if id(line.change) in bad else "good"))
    later = next((other for other in days() if other > day), None)
    if faults is not None:
        copies[_REPLAYED] = _Disorder(arranged, copies[_REPLAYED], later, faults).copies
    copies[_REPLAYED] += carried
    arranged.files = [File(name, f"{day}", day, copies[name]) for name in DATASETS if copies[name]]
    if faults is not None:
        _spoil_files(arranged, later)
    return arranged


class _Disorder:
    """Takes lines of one day's file out of their order, into the next day's file, or sends them twice."""

    def __init__(
        self, arranged: DayFiles, copies: list[Copy], later: date | None, faults: int
    ) -> None:
        self.arranged, self.later = arranged, later
        random = Random(f"{faults}:{arranged.day}:lines")
        planted = {id(change) for plant in arranged.plants for change in plant.changes}
        own = [c for c in copies if id(c.line.change) not in planted]
        real = [c for c in own if c.line.change.op == "c" and c.line.change.origin == REAL]
        chosen = random.sample(real, min(_DUPLICATES + _LATE, len(real)))
        self.copies = self._reordered(copies, own, random)
        for place, copy in enumerate(chosen[:_DUPLICATES]):
            self._duplicate(copy, later if place % 2 else None)
        for copy in chosen[_DUPLICATES:] if later else ():
            self._delay(copy)
            fields = {
                "kind": "late event",
                "promise": "valid",
                "description": "sent in the file of the day after",
            }
            arranged.sent.append(Sent(fields, copy.line, later))
        for plant in arranged.plants:
            self._plant(plant)

    def _reordered(self, copies: list[Copy], own: list[Copy], random: Random) -> list[Copy]:
        """Reverse the file, and promise the histories of some rows that it now has backwards."""
        events = defaultdict[tuple, list[Line]](list)
        for copy in own:
            events[key_of(copy.line)].append(copy.line)
        changed = [k for k, lines in events.items() if len(lines) > 1 and lines[0].change.op == "c"]
        fields = {
            "kind": "reordered file",
            "promise": "valid",
            "description": "the file is backwards",
        }
        for key in random.sample(changed, min(_REORDERED, len(changed))):
            self.arranged.sent.append(Sent(fields, events[key][-1], keys=(key,)))
        return copies[::-1]

    def _duplicate(self, copy: Copy, later: date | None) -> None:
        (self.arranged.carried if later else self.copies).append(copy)
        where = "in the file of the day after" if later else "in one file"
        fields = {"kind": "duplicate event", "promise": "superseded", "times": 2,
                  "description": f"sent again {where}"}  # fmt: skip
        self.arranged.sent.append(Sent(fields, copy.line, later))

    def _delay(self, copy: Copy) -> None:
        """Send a copy with the next day's, or, where there is none, at the end of this one's."""
        self.copies.remove(copy)
        (self.arranged.carried if self.later else self.copies).append(copy)
        if self.later:
            self.arranged.sent_on[id(copy.line.change)] = self.later

    def _plant(self, plant: Plant) -> None:
        first = self.arranged.lines[id(plant.changes[plant.about])]
        if plant.kind == DELETE_FIRST:
            self._delay(next(copy for copy in self.copies if copy.line is first))
        elif plant.kind == CONFLICT:
            at = self.copies.index(Copy(first, "good"))
            self.copies[at] = Copy(first, "contested")
            other = Copy(_contradicting(first), "contested")
            if self.later and plant.description.endswith(CONFLICT_PLACES[1]):
                self.arranged.carried.append(other)
                self.arranged.sent_on[id(first.change)] = self.later
            else:
                self.copies.append(other)


def _contradicting(line: Line) -> Line:
    """Return the line of the contradicting change: same place, same commit, another value."""
    change = other_way(line.change)
    assert line.change.after is not None
    assert change.after is not None
    old, new = (
        f'"sales_value":"{row["sales_value"]}"' for row in (line.change.after, change.after)
    )
    before, mark, after = line.text.partition('"after":')
    return Line(change, before + mark + after.replace(old, new, 1), line.position)


def _spoil_files(arranged: DayFiles, later: date | None) -> None:
    """Send one file twice, one cut short and then whole, and one a day late."""
    by = {file.dataset: file for file in arranged.files}
    if whole := by.get(_REPLAYED):
        twin = File(whole.dataset, f"{arranged.day}-again", arranged.day, whole.copies, twin=True)
        arranged.files.append(twin)
        fields = {"kind": "re-sent file", "promise": "once", "description": "sent again under another name",
                "times": 2}  # fmt: skip
        arranged.sent.append(Sent(fields | {"file": twin.path, "sha256": twin.sha256}))
    if whole := by.get(_TORN):
        _cut(arranged, whole, later)
    if later and (late := by.get(_MISSING)):
        late.landed = later
        fields = {
            "kind": "missing day",
            "promise": "late",
            "description": "the day's file comes a day late",
        }
        arranged.sent.append(Sent(fields | {"file": late.path, "sha256": late.sha256}, due=later))


def _cut(arranged: DayFiles, whole: File, later: date | None) -> None:
    """Cut a file in the midst of a line; the whole file is sent under another name."""
    copies = whole.copies
    last = copies[len(copies) // 2].line.data
    whole.copies, whole.tail = copies[: len(copies) // 2], last[: len(last) // 2]
    again = File(whole.dataset, f"{arranged.day}-whole", later or arranged.day, copies)
    arranged.files.append(again)
    fault = {"kind": "truncated file", "dataset": _TORN}
    torn = {"promise": "quarantined", "description": "the file ends in the midst of a line",
            "column": "_line", "rule": "unreadable",
            "line": hashlib.sha256(whole.tail).hexdigest()}  # fmt: skip
    sent = {"promise": "late", "description": "sent again whole, under another name",
            "file": again.path, "sha256": again.sha256}  # fmt: skip
    arranged.sent += [Sent(fault | torn), Sent(fault | sent, due=later)]


def key_of(line: Line) -> tuple:
    """Return the key of the row that a line is about."""
    return tuple(line.change.row[name] for name in KEYS[line.change.dataset])
