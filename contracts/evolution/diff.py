"""What differs between two versions of a contract, and which next version that calls for.

Breaking is what a producer's good rows may fail on, or what a reader's query may stop on: it needs a
new major version. Compatible changes need a minor one, words a patch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from contracts.evolution.rule_diff import rule_changes, whole_rule_changes
from contracts.types import widens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model.contract import Column, Contract
    from contracts.parsing.document import Document

Bump = Literal["major", "minor", "patch"]
PARTS: tuple[Bump, ...] = ("major", "minor", "patch")
# What a change of an attribute of a column, and of a part of the contract, calls for
COLUMN_ATTRIBUTES: tuple[tuple[str, Bump], ...] = (
    ("unit", "major"), ("classification", "major"), ("description", "patch"),
)  # fmt: skip
PARTS_OF_A_CONTRACT: tuple[tuple[str, Bump], ...] = (
    ("vault", "major"), ("features", "minor"), ("score", "minor"), ("enrich", "minor"),
    ("capture", "minor"), ("source_table", "minor"), ("status", "minor"),
    ("owner", "patch"), ("channels", "patch"), ("description", "patch"),
)  # fmt: skip
PROPERTIES: list[str | int] = ["schema", 0, "properties"]


@dataclass(frozen=True)
class Change:
    """One difference: where the new file has it, what it is, which part of the version it raises.

    `gone` is the name of a column that readers know and will not find any more.
    """

    file: str
    line: int
    message: str
    bump: Bump
    gone: str = ""

    @property
    def is_breaking(self) -> bool:
        """Return whether a new major version is needed."""
        return self.bump == "major"

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain values."""
        return {
            "file": self.file, "line": self.line, "message": self.message, "bump": self.bump,
            "breaking": self.is_breaking,
        }  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """All changes of one dataset; a version is empty where the contract is not there."""

    dataset: str
    file: str
    old_version: str
    new_version: str
    changes: tuple[Change, ...] = field(default=())

    @property
    def needs(self) -> Bump | None:
        """Return which part of the version has to be raised, None where nothing differs."""
        return next((part for part in PARTS if any(c.bump == part for c in self.changes)), None)

    @property
    def needed_version(self) -> str:
        """Return the least version that the changes allow."""
        return raised(self.old_version, self.needs) if self.needs else self.old_version

    @property
    def goes_back(self) -> bool:
        """Return whether the version is lower than it was."""
        return bool(self.new_version) and numbers_of(self.new_version) < numbers_of(
            self.old_version
        )

    @property
    def is_allowed(self) -> bool:
        """Return whether the new version announces a breaking change, where there is one."""
        if self.goes_back:
            return False
        new = numbers_of(self.new_version or "0.0.0")
        return self.needs != "major" or new[0] > numbers_of(self.old_version)[0]


def raised(version: str, bump: Bump) -> str:
    """Return the next version of a kind: 1.4.2 becomes 2.0.0, 1.5.0 or 1.4.3."""
    numbers = list(numbers_of(version))
    at = PARTS.index(bump)
    return ".".join(map(str, [*numbers[:at], numbers[at] + 1, *[0] * (2 - at)]))


def numbers_of(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which compare as versions do."""
    return tuple(int(part) for part in version.split("."))


def difference(old: Contract, new: Contract, document: Document) -> Difference:
    """Return what differs between two versions of a contract; `document` is the new contract's, for its lines."""
    changes = [*_columns(old, new, document), *_rules(old, new, document)]
    changes += [*_whole(old, new, document), *_levels(old, new, document)]
    changes.sort(key=lambda change: (PARTS.index(change.bump), change.line))
    return Difference(new.dataset, new.file, old.version, new.version, tuple(changes))


def removed(old: Contract) -> Difference:
    """Return the difference of a dataset whose contract is gone."""
    change = Change(old.file, 1, f"the contract of '{old.dataset}' is gone", "major")
    return Difference(old.dataset, old.file, old.version, "", (change,))


def _columns(old: Contract, new: Contract, document: Document) -> Iterator[Change]:
    before = {column.name: column for column in old.columns}
    renamed = {p: c.name for c in new.columns for p in c.previous if p in before}
    for name in before.keys() - set(new.names):
        line = document.line(PROPERTIES)
        if name in renamed:
            message = f"column '{name}' is now called '{renamed[name]}'"
            yield Change(new.file, line, message, "minor", gone=name)
        else:
            message = (
                f"column '{name}' is gone; if it was renamed, name it in evolution.previousNames"
            )
            yield Change(new.file, line, message, "major", gone=name)
    for index, column in enumerate(new.columns):
        line = document.line([*PROPERTIES, index])
        former = next((name for name in (column.name, *column.previous) if name in before), None)
        if former:
            yield from _column(before[former], column, new.file, line)
        elif column.required and column.absent is None:
            yield Change(new.file, line, f"new column '{column.name}' is required", "major")
        else:
            yield Change(new.file, line, f"new column '{column.name}' {column.type}", "minor")


def _column(old: Column, new: Column, file: str, line: int) -> Iterator[Change]:
    def change(message: str, bump: Bump) -> Change:
        return Change(file, line, f"column '{new.name}': {message}", bump)

    if old.type != new.type:
        wider = widens(old.type, new.type)
        verb = "widened" if wider else "changed"
        yield change(f"type {verb} from {old.type} to {new.type}", "minor" if wider else "major")
    for attribute, bump in COLUMN_ATTRIBUTES:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            text = "" if attribute == "description" else f" from '{before}' to '{after}'"
            yield change(f"{attribute} changed{text}", bump)
    if old.cleanse != new.cleanse:
        yield change("cleansed otherwise: rows loaded before stay as they were", "minor")


def _rules(old: Contract, new: Contract, document: Document) -> Iterator[Change]:
    for column, change in rule_changes(old, new):
        line = document.line([*PROPERTIES, new.names.index(column)])
        message = f"column '{column}': {change.message}"
        yield Change(new.file, line, message, "major" if change.tightened else "minor")
    for change in whole_rule_changes(old, new):
        line = document.line(["schema", 0])
        yield Change(new.file, line, change.message, "major" if change.tightened else "minor")


def _whole(old: Contract, new: Contract, document: Document) -> Iterator[Change]:
    if old.keys != new.keys:
        message = f"the key changed from {list(old.keys)} to {list(new.keys)}"
        yield Change(new.file, document.line(PROPERTIES), message, "major")
    for name, bump in PARTS_OF_A_CONTRACT:
        if getattr(old, name) != getattr(new, name):
            line = document.line(_place(document, name))
            yield Change(new.file, line, f"{name.replace('_', ' ')} changed", bump)


def _place(document: Document, name: str) -> list[str | int]:
    for index, item in enumerate(document.data.get("customProperties") or []):
        if item["property"] == name:
            return ["customProperties", index]
    if name == "source_table":
        return ["schema", 0, "physicalName"]
    return ["support" if name == "channels" else name]


def _levels(old: Contract, new: Contract, document: Document) -> Iterator[Change]:
    there = {level: i for i, level in enumerate(new.service_levels)}
    for level in dict.fromkeys([*old.service_levels, *new.service_levels]):
        before, after = old.service_levels.get(level), new.service_levels.get(level)
        if before == after:
            continue
        place = ["slaProperties", there[level]] if level in there else ["slaProperties"]
        looser = after is None or (before is not None and _is_looser(old, new, level))
        text = f"service level '{level}' {'loosened' if looser else 'promised'}"
        yield Change(new.file, document.line(place), text, "major" if looser else "minor")


def _is_looser(old: Contract, new: Contract, level: str) -> bool:
    """Return whether a service level is looser than before; longer is better for how long data is kept."""
    try:
        before, after = old.service_level(level), new.service_level(level)
    except (TypeError, ValueError, KeyError):
        return True
    if before is None or after is None or before == after:
        return False
    return after < before if level in ("retention", "availability") else after > before
