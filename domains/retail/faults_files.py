"""Faults of files: which lines a day's files hold, and what is sent late, twice, torn or in disorder."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from domains.retail.envelope import REAL, Line
from domains.retail.faults_rows import CONFLICT, DELETE_FIRST, TOLD_AGAIN, other_way
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
    verdict: Literal["good", "bad", "contested"]


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
    """One fault of a day that its files make: the fields of its promise, and what it is about."""

    said: dict[str, Any]
    line: Line | None = None
    due: date | None = None
    keys: tuple[tuple, ...] = ()


@dataclass
class DayFiles:
    """The files of one day, some landed on the next, the copies that go into the next day's files.

    `held` says of changes when they are sent, by identity.
    """

    day: date
    plants: list[Plant]
    lines: dict[int, Line]
    files: list[File] = field(default_factory=list)
    carried: list[Copy] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    held: dict[int, date] = field(default_factory=dict)


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
    found = DayFiles(day, plants, {id(line.change): line for line in lines})
    copies = defaultdict[str, list[Copy]](list)
    for line in lines:
        copies[line.change.dataset].append(Copy(line, "bad" if id(line.change) in bad else "good"))
    later = next((other for other in days() if other > day), None)
    if faults is not None:
        copies[_REPLAYED] = _Disorder(found, copies[_REPLAYED], later, faults).copies
    copies[_REPLAYED] += carried
    found.files = [File(name, f"{day}", day, copies[name]) for name in DATASETS if copies[name]]
    if faults is not None:
        _spoil_files(found, later)
    return found


class _Disorder:
    """Takes lines of one day's file out of their order, into the next day's file, or tells them twice."""

    def __init__(
        self, found: DayFiles, copies: list[Copy], later: date | None, faults: int
    ) -> None:
        self.found, self.later = found, later
        random = Random(f"{faults}:{found.day}:lines")
        planted = {id(change) for plant in found.plants for change in plant.changes}
        own = [c for c in copies if id(c.line.change) not in planted]
        real = [c for c in own if c.line.change.op == "c" and c.line.change.origin == REAL]
        chosen = random.sample(real, min(_DUPLICATES + _LATE, len(real)))
        self.copies = self._reordered(copies, own, random)
        for place, copy in enumerate(chosen[:_DUPLICATES]):
            self._duplicate(copy, later if place % 2 else None)
        for copy in chosen[_DUPLICATES:] if later else ():
            self._hold(copy)
            said = {
                "kind": "late event",
                "promise": "valid",
                "what": "sent in the file of the day after",
            }
            found.sent.append(Sent(said, copy.line, later))
        for plant in found.plants:
            self._plant(plant)

    def _reordered(self, copies: list[Copy], own: list[Copy], random: Random) -> list[Copy]:
        """Turn the file around, and promise the histories of some rows that it tells backwards."""
        events = defaultdict[tuple, list[Line]](list)
        for copy in own:
            events[key_of(copy.line)].append(copy.line)
        told = [k for k, lines in events.items() if len(lines) > 1 and lines[0].change.op == "c"]
        said = {"kind": "reordered file", "promise": "valid", "what": "the file is told backwards"}
        for key in random.sample(told, min(_REORDERED, len(told))):
            self.found.sent.append(Sent(said, events[key][-1], keys=(key,)))
        return copies[::-1]

    def _duplicate(self, copy: Copy, later: date | None) -> None:
        (self.found.carried if later else self.copies).append(copy)
        where = "in the file of the day after" if later else "in one file"
        said = {"kind": "duplicate event", "promise": "superseded", "times": 2,
                "what": f"told again {where}"}  # fmt: skip
        self.found.sent.append(Sent(said, copy.line, later))

    def _hold(self, copy: Copy) -> None:
        """Send a copy with the next day's, or, where there is none, at the end of this one's."""
        self.copies.remove(copy)
        (self.found.carried if self.later else self.copies).append(copy)
        if self.later:
            self.found.held[id(copy.line.change)] = self.later

    def _plant(self, plant: Plant) -> None:
        first = self.found.lines[id(plant.changes[plant.about])]
        if plant.kind == DELETE_FIRST:
            self._hold(next(copy for copy in self.copies if copy.line is first))
        elif plant.kind == CONFLICT:
            at = self.copies.index(Copy(first, "good"))
            self.copies[at] = Copy(first, "contested")
            other = Copy(_told_otherwise(first), "contested")
            if self.later and plant.what.endswith(TOLD_AGAIN[1]):
                self.found.carried.append(other)
                self.found.held[id(first.change)] = self.later
            else:
                self.copies.append(other)


def _told_otherwise(line: Line) -> Line:
    """Return the line of the contradicting change: same place, same commit, another value."""
    change = other_way(line.change)
    assert line.change.after is not None
    assert change.after is not None
    old, new = (
        f'"sales_value":"{row["sales_value"]}"' for row in (line.change.after, change.after)
    )
    before, mark, after = line.text.partition('"after":')
    return Line(change, before + mark + after.replace(old, new, 1), line.position)


def _spoil_files(found: DayFiles, later: date | None) -> None:
    """Send one file twice, one cut short and then whole, and one a day late."""
    by = {file.dataset: file for file in found.files}
    if whole := by.get(_REPLAYED):
        twin = File(whole.dataset, f"{found.day}-again", found.day, whole.copies, twin=True)
        found.files.append(twin)
        said = {"kind": "re-sent file", "promise": "once", "what": "sent again under another name",
                "times": 2}  # fmt: skip
        found.sent.append(Sent(said | {"file": twin.path, "sha256": twin.sha256}))
    if whole := by.get(_TORN):
        _cut(found, whole, later)
    if later and (late := by.get(_MISSING)):
        late.landed = later
        said = {"kind": "missing day", "promise": "late", "what": "the day's file comes a day late"}
        found.sent.append(Sent(said | {"file": late.path, "sha256": late.sha256}, due=later))


def _cut(found: DayFiles, whole: File, later: date | None) -> None:
    """Cut a file in the midst of a line; what is whole is sent under another name."""
    copies = whole.copies
    last = copies[len(copies) // 2].line.data
    whole.copies, whole.tail = copies[: len(copies) // 2], last[: len(last) // 2]
    again = File(whole.dataset, f"{found.day}-whole", later or found.day, copies)
    found.files.append(again)
    fault = {"kind": "truncated file", "dataset": _TORN}
    torn = {"promise": "quarantined", "what": "the file ends in the midst of a line",
            "column": "_line", "rule": "unreadable",
            "line": hashlib.sha256(whole.tail).hexdigest()}  # fmt: skip
    sent = {"promise": "late", "what": "sent again whole, under another name",
            "file": again.path, "sha256": again.sha256}  # fmt: skip
    found.sent += [Sent(fault | torn), Sent(fault | sent, due=later)]


def key_of(line: Line) -> tuple:
    """Return the key of the row that a line is about."""
    return tuple(line.change.row[name] for name in KEYS[line.change.dataset])
