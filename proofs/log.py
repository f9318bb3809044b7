"""Random change logs of the shop, with every operation and every oddity of Debezium.

A pack is one log of many independent groups of keys, so that one run of the lakehouse tries many
logs at once. Everything follows from the pack's seed and size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from proofs.shop import BAD_AMOUNT, BAD_TIER, TIERS

KEYS_A_GROUP = 3
SPAN = 1000
START_MS = 1_600_000_000_000
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Event:
    """One change of one row.

    `place` is its position in the source's log. `row` is the row after the change, by the contract's
    column names; of a delete the key, in a table without a key the whole row. `old_key` is the
    former key of a moved row; `unchanged` are the columns with an unchanged (TOAST) value; `before`
    is the row that an update without a key replaced.
    """

    dataset: str
    op: str
    place: tuple[int, int, int]
    ts_ms: int
    row: dict[str, Any] = field(hash=False)
    old_key: int | None = None
    unchanged: tuple[str, ...] = ()
    before: dict[str, Any] | None = field(default=None, hash=False)
    early: bool = False
    group: int = -1

    @property
    def sequence(self) -> str:
        """Return the place as silver writes it; that of a snapshot row follows from its record."""
        end, kind, at = self.place
        return f"{end:019d}.{kind}.{_base36(at) if kind == 0 else at:0>10}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
    return digits or "0"


@dataclass
class Pack:
    """Groups of keys that change in one log; each of `groups` makes `steps` transactions."""

    seed: int
    groups: tuple[int, ...]
    steps: int = 8
    truncates: bool = True

    def events(self) -> list[Event]:
        """Return the log in the source's order."""
        chance = Random(f"{self.seed}:interleave")
        turns = [group for group in self.groups for _ in range(self.steps)]
        chance.shuffle(turns)
        states = {group: _Group(group, Random(f"{self.seed}:{group}")) for group in self.groups}
        events, records = [], iter(range(10**9))
        for group in self.groups:
            events += states[group].snapshot((0, 0), records, again=False)
        for number, group in enumerate(turns, start=1):
            end = number * 1000
            if self.truncates and number % (len(turns) // 2 + 1) == len(turns) // 3:
                dataset = chance.choice(("customers", "orders", "scans"))
                events.append(Event(dataset, "t", (end, 1, 1), _moment(chance, number), {}))
                for state in states.values():
                    state.rows[dataset].clear()
                continue
            state = states[group]
            if chance.random() < 0.05:
                events += state.snapshot((end, _moment(chance, number)), records, again=True)
            else:
                events += state.transaction(end, _moment(chance, number))
        return events


def _moment(chance: Random, number: int) -> int:
    # Commit times tie, and now and then go back.
    return START_MS + number * 1000 * chance.choice((0, 1, 1, 1)) + chance.choice((0, 0, 500))


class _Group:
    """One group of keys and the rows that it has."""

    def __init__(self, number: int, chance: Random) -> None:
        self.number, self.chance = number, chance
        self.rows: dict[str, Any] = {"customers": {}, "orders": {}, "scans": []}
        self.changed_after = chance.randint(0, 10)
        self.done = 0

    def key(self) -> int:
        return self.number * SPAN + self.chance.randint(1, KEYS_A_GROUP)

    def snapshot(self, at: tuple[int, int], records: Any, *, again: bool) -> list[Event]:
        """Return rows of a snapshot: new ones at the start of the log, all there are later."""
        end, moment = at
        if not again:
            for _ in range(self.chance.randint(0, 2)):
                self.rows["customers"][self.key()] = self.customer()
            for _ in range(self.chance.randint(0, 2)):
                self.rows["scans"].append(self.scan())
        events = []
        for dataset in ("customers",) if again else ("customers", "scans"):
            rows = self.rows[dataset]
            for key in list(rows) if dataset == "customers" else range(len(rows)):
                row = {"id": key, **rows[key]} if dataset == "customers" else rows[key]
                place = (end, 0, next(records) * 16384)
                events.append(
                    Event(dataset, "r", place, moment or START_MS, row, early=self.early, group=self.number)
                )  # fmt: skip
        return events

    @property
    def early(self) -> bool:
        """Whether the columns still are what they were before the schema changed."""
        return self.done < self.changed_after

    def customer(self) -> dict[str, Any]:
        chance = self.chance
        return {
            "name": chance.choice(("Ada", "Bo", "Çelik", "", None)),
            "tier": chance.choice(TIERS),
            "vip": True if self.early else chance.choice((True, False, None)),
            "note": chance.choice(("short", "long " * 20, None)),
        }

    def order(self) -> dict[str, Any]:
        chance = self.chance
        day, cents = chance.randint(0, 12), chance.randint(0, 999)
        return {
            "customer_id": chance.choice((self.key(), self.key(), None)),
            "amount": Decimal(cents) / 100,
            "placed_at": START_MS + day * DAY_MS + chance.randint(0, DAY_MS - 1),
        }

    def scan(self) -> dict[str, Any]:
        # `item` names the group: contents of different groups must not meet
        return {"item": f"milk {self.number}", "pieces": self.chance.randint(1, 2)}

    def transaction(self, end: int, moment: int) -> list[Event]:
        events: list[Event] = []
        for _ in range(self.chance.randint(1, 5)):
            dataset = self.chance.choice(("customers", "orders", "orders", "scans"))
            change = self.copies if dataset == "scans" else self.keyed
            for op, more in change(dataset):
                place = (end, 1, len(events) + 1)
                events.append(
                    Event(dataset, op, place, moment, early=self.early, group=self.number, **more)
                )
            self.done += 1
        return events

    def keyed(self, dataset: str) -> list[tuple[str, dict[str, Any]]]:
        chance, rows = self.chance, self.rows[dataset]
        make = self.customer if dataset == "customers" else self.order
        key, kind = self.key(), chance.random()
        if kind < 0.08:
            bad = {"tier": BAD_TIER} if dataset == "customers" else {"amount": Decimal(BAD_AMOUNT)}
            return [("u" if key in rows else "c", {"row": {"id": key, **make(), **bad}})]
        if key not in rows:
            rows[key] = make()
            return [("c", {"row": {"id": key, **rows[key]}})]
        if kind < 0.25:
            del rows[key]
            return [("d", {"row": {"id": key}})]
        if kind < 0.4:
            return self.moved(dataset, key)
        unchanged: tuple[str, ...] = ()
        if kind > 0.5:  # else an update that changes nothing
            new = make()
            if dataset == "customers" and chance.random() < 0.4:
                unchanged, new["note"] = ("note",), rows[key]["note"]
            rows[key] = new
        return [("u", {"row": {"id": key, **rows[key]}, "unchanged": unchanged})]

    def moved(self, dataset: str, key: int) -> list[tuple[str, dict[str, Any]]]:
        rows, new = self.rows[dataset], self.key()
        if new in rows:
            return []
        rows[new] = rows.pop(key)
        unchanged = ("note",) if dataset == "customers" and self.chance.random() < 0.5 else ()
        create = {"row": {"id": new, **rows[new]}, "old_key": key, "unchanged": unchanged}
        return [("d", {"row": {"id": key}}), ("c", create)]

    def copies(self, _: str) -> list[tuple[str, dict[str, Any]]]:
        chance, rows = self.chance, self.rows["scans"]
        kind = chance.random()
        if not rows or kind < 0.4:
            rows.append(self.scan())
            return [("c", {"row": rows[-1]})]
        row = rows.pop(chance.randrange(len(rows)))
        if kind < 0.7:
            return [("d", {"row": row})]
        rows.append(self.scan())
        return [("u", {"row": rows[-1], "before": row})]
