"""A contract as frozen values: columns, rules, capture, cleansing and vault."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from contracts.model.dataset_rule import DatasetRule
    from contracts.model.rules import Reference, RowRule, Rule, Unique

# The units of service levels, in days
UNITS = {
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 1440),
    **dict.fromkeys(("h", "hour", "hours"), 1 / 24),
    **dict.fromkeys(("d", "day", "days"), 1),
    **dict.fromkeys(("w", "week", "weeks"), 7),
    **dict.fromkeys(("m", "month", "months"), 30),
    **dict.fromkeys(("y", "yr", "year", "years"), 365),
}
# A classification can be any word; each but these keeps a column's values from being shown.
OPEN = ("", "public", "internal")


def is_personal(classification: str) -> bool:
    """Return whether values of columns so classified are not to be shown or kept open."""
    return classification.casefold() not in OPEN


@dataclass(frozen=True)
class Cleanse:
    """How the text of one column is made clean before the gate, in this order."""

    trim: bool = False
    case: Literal["", "upper", "lower"] = ""
    null_tokens: tuple[str, ...] = ()
    mapping: tuple[tuple[str, str], ...] = ()
    default: str | None = None


@dataclass(frozen=True)
class Column:
    """One column: its Spark type, whether it must be there, its place in the key.

    `previous` are the names it had before, newest first; `absent` is its value, as text, in rows
    from before it was there.
    """

    name: str
    type: str
    description: str = ""
    required: bool = False
    key: int = 0
    unit: str = ""
    classification: str = ""
    cleanse: Cleanse = Cleanse()
    previous: tuple[str, ...] = ()
    absent: str | None = None

    @property
    def is_personal(self) -> bool:
        """Return whether the values are not to be shown or kept open."""
        return is_personal(self.classification)


@dataclass(frozen=True)
class Capture:
    """One way in which a dataset's files arrive: where they lie below the landing folder.

    `method` is `files` (each row is one event) or `debezium` (change envelopes as JSON lines).
    `order` names the column that orders the events of `files`, none for a snapshot.
    """

    method: Literal["files", "debezium"]
    path: str
    format: str
    order: str = ""


@dataclass(frozen=True)
class Channel:
    """Where a dataset's owner gets alerts: an address or a room, by the tool that has it."""

    tool: str
    name: str
    address: str = ""


@dataclass(frozen=True)
class Hub:
    """One hub that a dataset mentions: its name and the columns of its business key.

    `members` are the columns' names in the hub, the same for every dataset that mentions it.
    """

    name: str
    columns: tuple[str, ...]
    members: tuple[str, ...]


@dataclass(frozen=True)
class Vault:
    """Which hubs, link and satellite a dataset loads.

    `link` is empty for a dataset that describes a hub; `events` is the table of one row an event:
    a satellite, or the link itself where it is not historized.
    """

    hubs: tuple[Hub, ...]
    link: str = ""
    dependent: tuple[str, ...] = ()
    satellite: str = ""
    historized: bool = True

    @property
    def events(self) -> str:
        """Return the table that holds one row a gated event."""
        return f"sat_{self.satellite}" if self.historized else f"lnk_{self.link}"

    @property
    def parent(self) -> str:
        """Return the name whose hash key identifies a row: the link's, the hub's, or its own."""
        return self.link or (self.hubs[0].name if self.hubs else self.satellite)


@dataclass(frozen=True)
class Contract:
    """One dataset's contract."""

    domain: str
    dataset: str
    version: str
    status: str
    description: str
    owner: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    capture: tuple[Capture, ...] = ()
    vault: Vault | None = None
    features: dict[str, Any] = field(default_factory=dict[str, Any], hash=False)
    score: dict[str, Any] = field(default_factory=dict[str, Any], hash=False)
    enrich: dict[str, Any] = field(default_factory=dict[str, Any], hash=False)
    service_levels: dict[str, Any] = field(default_factory=dict[str, Any], hash=False)
    dataset_rules: tuple[DatasetRule, ...] = ()
    channels: tuple[Channel, ...] = ()
    source_table: str = ""
    file: str = ""
    row_rules: tuple[RowRule, ...] = ()
    unique: tuple[Unique, ...] = ()
    references: tuple[Reference, ...] = ()
    version_line: int = 1

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the columns of the primary key, in order."""
        keyed = sorted((column.key, column.name) for column in self.columns if column.key)
        return tuple(name for _, name in keyed)

    @property
    def keyless(self) -> bool:
        """Return whether rows are identified by their content alone, so that equal ones are counted."""
        return not self.keys

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in contract order."""
        return tuple(column.name for column in self.columns)

    @property
    def personal(self) -> frozenset[str]:
        """Return the columns that hold personal data, by every name that they have or had."""
        return frozenset(
            name for c in self.columns if c.is_personal for name in (c.name, *c.previous)
        )

    def service_level(self, level: str) -> timedelta | None:
        """Return the span of a service level (`frequency`, `latency`), None where none is declared."""
        declared = self.service_levels.get(level)
        if declared is None:
            return None
        return timedelta(days=float(declared["value"]) * UNITS[declared.get("unit") or "d"])

    def narrowed(self, names: tuple[str, ...]) -> Contract:
        """Return the contract of these columns alone, with the rules that need no other."""
        return replace(
            self,
            columns=tuple(self.column(name) for name in names),
            rules=tuple(rule for rule in self.rules if rule.column in names),
            row_rules=tuple(rule for rule in self.row_rules if set(rule.columns) <= set(names)),
            unique=(),
            references=(),
            capture=(),
        )

    def column(self, name: str) -> Column:
        """Return a column by name; raise KeyError where there is none."""
        return next(column for column in self.columns if column.name == name)
