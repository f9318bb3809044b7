"""Faults of rows that are planted on demand: each day has every one of them once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from domains.retail.changes import clock
from domains.retail.envelope import SYNTHETIC, Change, Commit, Row
from domains.retail.faults import ABSENT, Plant, Spoilt, bought, spoil
from domains.retail.frames import days, rows
from domains.retail.synthetic import SYNTHETIC_IDS

if TYPE_CHECKING:
    from datetime import date

CONFLICT, DELETE_FIRST = "conflicting correction", "delete first"
# Where the change is sent that contradicts another
CONFLICT_PLACES = ("in the same file", "in a later file")
# Above the baskets of the bad lines that every day has
_FIRST_BASKET = SYNTHETIC_IDS + 500_000
_UNKNOWN_PRODUCT = SYNTHETIC_IDS
_UNKNOWN_MEMBER = "0" * 64
_SPOILT: tuple[Spoilt | None, ...] = (
    Spoilt("week is a word", {"week": "seven"}, "wrong type", "week", "type int"),
    Spoilt("quantity has a fraction", {"quantity": "2.5 lb"}, "wrong type", "quantity",
           "type bigint"),
    Spoilt("quantity is more than the type holds", {"quantity": 10**30}, "wrong type", "quantity",
           "type bigint"),
    Spoilt("sales_value below zero", {"sales_value": "-0.01"}, "out of range", "sales_value",
           "greater_than_or_equal_to"),
    Spoilt("paid in the future", {"transaction_timestamp": "2031-01-01T00:00:00Z"},
           "out of range", "transaction_timestamp", "less_than_or_equal_to"),
    Spoilt("store_id is missing", {"store_id": None}, "missing value", "store_id", "required"),
    Spoilt("coupon_match_disc is gone from the payload", {"coupon_match_disc": ABSENT},
           "schema drift", "coupon_match_disc", "required"),
    None,
)  # fmt: skip


def planted(commits: list[Commit], day: date, scale: str, faults: int) -> list[Plant]:
    """Return a day's planted faults of rows, by the seed `faults`."""
    random = Random(f"{faults}:{day}:rows")
    till = _Till(day, random, bought(commits), _FIRST_BASKET + days().index(day) * 1000)
    spoilt = [spoil(defect, day, random, till.lines, till.basket()) for defect in _SPOILT]
    return [
        *spoilt,
        _unknown_operation(till),
        _bad_encoding(day, scale, random),
        _orphan(till),
        _zero_quantity(till),
        _unknown_column(till),
        _key_change(till),
        _clock_skew(till),
        _delete_first(till),
        *[_conflict(till, where) for where in CONFLICT_PLACES],
    ]


@dataclass
class _Till:
    """Books baskets of one line that nobody bought."""

    day: date
    random: Random
    lines: list[Row]
    last: int

    def basket(self) -> int:
        self.last += 1
        return self.last

    def line(self) -> dict[str, Any]:
        """Return a line of a new basket, paid in the morning, so that there is time to change it."""
        at = clock(self.day, self.random.randint(8, 12), self.random.randint(0, 59))
        line = self.random.choice(self.lines)
        return {**line, "basket_id": self.basket(), "transaction_timestamp": at}

    def later(self, line: Row, minutes: int, *changes: Change) -> Commit:
        return Commit(line["transaction_timestamp"] + timedelta(minutes=minutes), changes)


def _change(op: str, before: Row | None, after: Row | None) -> Change:
    return Change("transactions", op, before, after, SYNTHETIC)


def _unknown_operation(till: _Till) -> Plant:
    line = till.line()
    commit = till.later(line, 0, _change("x", None, line))
    reason = {"column": "_op", "rule": "operation"}
    return Plant("unknown operation", "op is x", "quarantined", (commit,), reason)


def _bad_encoding(day: date, scale: str, random: Random) -> Plant:
    """Rename a product in Latin-1: the byte of its accent is no UTF-8."""
    products = rows("products", scale)
    product = products.slice(random.randrange(products.num_rows), 1).to_pylist()[0]
    # written as the lone byte E9
    renamed = {**product, "product_type": "CAF\udce9"}
    change = Change("products", "u", None, renamed, SYNTHETIC)
    commit = Commit(clock(day, 8, random.randint(0, 59)), (change,))
    reason = {"column": "_line", "rule": "unreadable"}
    return Plant("bad encoding", "product_type in Latin-1", "quarantined", (commit,), reason)


def _orphan(till: _Till) -> Plant:
    line = till.line()
    line["product_id"] = _UNKNOWN_PRODUCT + line["basket_id"] % 1_000_000
    row = {
        "table": "gold.retail__fct_basket_line",
        "where": {name: line[name] for name in ("basket_id", "product_id")},
        "has": {"product_hk": _UNKNOWN_MEMBER},
    }
    commit = till.later(line, 0, _change("c", None, line))
    return Plant("orphan", "a product that no master has", "valid", (commit,), {"row": row})


def _zero_quantity(till: _Till) -> Plant:
    line = {**till.line(), "quantity": 0}
    commit = till.later(line, 0, _change("c", None, line))
    flags = {"flags": ("zero_quantity",)}
    return Plant("doubtful value", "quantity 0 passes with a flag", "valid", (commit,), flags)


def _unknown_column(till: _Till) -> Plant:
    line = till.line()
    points = str(till.random.randint(1, 900))
    commit = till.later(line, 0, _change("c", None, {**line, "loyalty_points": points}))
    columns = {"unknown_columns": {"loyalty_points": points}}
    return Plant("schema drift", "a column that no contract has", "valid", (commit,), columns)


def _key_change(till: _Till) -> Plant:
    """Book a basket under another number than at first, as PostgreSQL logs it."""
    line = till.line()
    moved = {**line, "basket_id": till.basket()}
    created = till.later(line, 0, _change("c", None, line))
    change = till.later(line, 20, _change("d", line, None), _change("c", None, moved))
    return Plant(
        "key change", "the basket's number is changed", "valid", (created, change), history=True
    )


def _clock_skew(till: _Till) -> Plant:
    """Correct a line by a machine whose clock is three hours behind."""
    line = till.line()
    created = till.later(line, 0, _change("c", None, line))
    update = till.later(line, 15, _change("u", line, _dearer(line, 1)))
    update = replace(update, skew=timedelta(hours=-3))
    return Plant("clock skew", "an update three hours before its create by the clock", "valid",
                 (created, update), history=True)  # fmt: skip


def _delete_first(till: _Till) -> Plant:
    """Void a line whose booking is sent after it."""
    line = till.line()
    created = till.later(line, 0, _change("c", None, line))
    voided = till.later(line, 30, _change("d", line, None))
    return Plant(
        DELETE_FIRST, "the delete comes before its create", "valid", (created, voided),
        history=True, about=0,
    )  # fmt: skip


def _conflict(till: _Till, where: str) -> Plant:
    """Correct a line; the source sends the correction twice with different values; then set it right.

    Which of two contradicting changes is true cannot be known, but the last change decides.
    """
    line = till.line()
    wrong = _dearer(line, 2)
    commits = (
        till.later(line, 0, _change("c", None, line)),
        till.later(line, 10, _change("u", line, wrong)),
        till.later(line, 20, _change("u", wrong, line)),
    )
    return Plant(CONFLICT, f"one change sent twice, with another value {where}", "contradicted", commits,
                 about=1)  # fmt: skip


def other_way(change: Change) -> Change:
    """Return the change that contradicts one of a conflict."""
    assert change.after is not None
    return replace(change, after=_dearer(change.after, 3))


def _dearer(line: Row, by: int) -> dict[str, Any]:
    return {**line, "sales_value": line["sales_value"] + Decimal(by)}
