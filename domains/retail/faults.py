"""One fault is a row, or a file, that the lakehouse must refuse or repair: a few a day, more on demand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from domains.retail.changes import clock
from domains.retail.envelope import SYNTHETIC, Change, Commit
from domains.retail.frames import days
from domains.retail.synthetic import SYNTHETIC_IDS

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True)
class Spoilt:
    """The defect of a payload that is good otherwise, and the reason the gate must give."""

    description: str
    values: dict[str, object]
    kind: str
    column: str
    rule: str


@dataclass(frozen=True)
class Plant:
    """One fault among a day's commits; `about` is the place of the change that the promise is about.

    `fields` are more fields of the promise; with `history` that of each key is promised too.
    """

    kind: str
    description: str
    promise: str
    commits: tuple[Commit, ...]
    fields: dict[str, Any] = field(default_factory=dict)
    history: bool = False
    about: int = -1

    @property
    def changes(self) -> list[Change]:
        """Return the changes of all its commits, in order."""
        return [change for commit in self.commits for change in commit.changes]


TORN = ("line is torn", "torn line")
_SPOILT: tuple[Spoilt | None, ...] = (
    Spoilt("quantity below zero", {"quantity": -3}, "out of range", "quantity",
           "greater_than_or_equal_to"),
    Spoilt("sales_value is no number", {"sales_value": "abc"}, "wrong type", "sales_value",
           "type decimal(10,2)"),
    Spoilt("household_id is missing", {"household_id": None}, "missing value", "household_id",
           "required"),
    None,  # tears the line itself
    Spoilt("week out of range", {"week": 99}, "out of range", "week", "less_than_or_equal_to"),
    Spoilt("product_id, part of the key, is missing", {"product_id": None}, "missing value",
           "product_id", "required"),
    Spoilt("transaction_timestamp is no time", {"transaction_timestamp": "2017-13-45T25:00:00Z"},
           "wrong type", "transaction_timestamp", "type timestamp"),
    Spoilt("retail_disc below zero", {"retail_disc": "-1.50"}, "out of range", "retail_disc",
           "greater_than_or_equal_to"),
)  # fmt: skip
_EVERY_DAY = 5


def bad_commits(commits: list[Commit], day: date, seed: int) -> list[Plant]:
    """Return the 5 to 8 bad lines that every day has, with or without planted faults."""
    random = Random(f"{seed}:{day}:bad")
    lines, optional = bought(commits), _SPOILT[_EVERY_DAY:]
    chosen = _SPOILT[:_EVERY_DAY] + tuple(random.sample(optional, random.randint(0, len(optional))))
    first = SYNTHETIC_IDS + days().index(day) * 1000 + 1
    return [
        spoil(spoilt, day, random, lines, first + number) for number, spoilt in enumerate(chosen)
    ]


def bought(commits: list[Commit]) -> list[Any]:
    """Return the rows of the basket lines that commits create."""
    changes = (change for commit in commits for change in commit.changes)
    return [c.row for c in changes if c.dataset == "transactions" and c.op == "c"]


def spoil(spoilt: Spoilt | None, day: date, random: Random, lines: list[Any], basket: int) -> Plant:
    """Return a basket of one spoilt line; None tears the line."""
    row = {**random.choice(lines), "basket_id": basket}
    at = clock(day, random.randint(8, 20), random.randint(0, 59), random.randint(0, 59))
    row["transaction_timestamp"] = at
    change = Change("transactions", "c", None, row, SYNTHETIC)
    if spoilt is None:
        description, kind = TORN
        unreadable = {"column": "_line", "rule": "unreadable"}
        commit = Commit(at, (change,), torn=True)
        return Plant(kind, description, "quarantined", (commit,), unreadable)
    values = {name: value for name, value in (row | spoilt.values).items() if value is not ABSENT}
    commit = Commit(at, (replace(change, after=values),))
    reason = {"column": spoilt.column, "rule": spoilt.rule}
    return Plant(spoilt.kind, spoilt.description, "quarantined", (commit,), reason)


# Takes a column out of a payload, which differs from a null in it
ABSENT = object()
