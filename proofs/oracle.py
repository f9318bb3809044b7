"""The expected tables of the lakehouse, in plain Python: no Spark, no SQL, none of its code.

It reads the events in the source's order; the lakehouse gets them in any order, some of them twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proofs.log import Event

CUSTOMER = ("name", "tier", "vip", "note")
ORDER = ("customer_id", "amount", "placed_at")
GHOST = bytes(32)
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]


@dataclass
class Expected:
    """Every table as a multiset of rows, without audit columns."""

    tables: dict[str, Counter[Row]] = field(default_factory=dict)


def key_hash(*values: Any) -> bytes:
    """Return the hash key of a business key: SHA-256 over its parts, each with its length."""
    if values[0] is None:
        return GHOST
    texts = [None if value is None else _stable(value) for value in values]
    parts = ["-" if text is None else f"{len(text)}:{text}" for text in texts]
    return hashlib.sha256("".join(parts).encode()).digest()


def _stable(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:.9f}"
    return str(value)


def _row_hash(values: list[Any]) -> bytes:
    parts = ["-" if v is None else f"{len(_stable(v))}:{_stable(v)}" for v in values]
    return hashlib.sha256("".join(parts).encode()).digest()


def moment(ms: int) -> datetime:
    """Return a time in milliseconds as a time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def _is_good(event: Event) -> bool:
    if event.op in "dt":
        return True
    if event.dataset == "customers":
        return event.row["tier"] != "tin"
    return event.dataset != "orders" or event.row["amount"] <= 1000


def expected(events: list[Event], *, relaxed: bool = False) -> Expected:
    """Return the expected tables of silver and gold after all events; `relaxed` lets bad rows pass."""
    good = [event for event in events if relaxed or _is_good(event)]
    content = Expected()
    customers = _keyed(good, "customers", CUSTOMER)
    orders = _keyed(good, "orders", ORDER)
    _silver(content, "customer", customers, CUSTOMER)
    _silver(content, "placed", orders, ORDER)
    hubs: dict[str, set[int]] = {"customer": set(customers), "order": set(orders)}
    for states in orders.values():
        hubs["customer"] |= {s.values["customer_id"] for s in states if s.values}
    for hub, keys in hubs.items():
        rows = Counter((key_hash(key), key) for key in keys if key is not None)
        content.tables[f"hub_{hub}"] = rows + Counter({(GHOST, None): 1})
    content.tables["scan_current"] = _copies(good)
    content.tables["dim_customer"] = _dimension(customers)
    facts = _facts(orders)
    content.tables["fct_order"] = Counter(facts)
    content.tables["feat_customer_day"] = _features(facts)
    return content


@dataclass
class _State:
    """One event of a key: its place and commit time, and the row after it, None for a delete."""

    op: str
    sequence: str
    at: datetime
    values: dict[str, Any] | None


def _keyed(events: list[Event], dataset: str, columns: tuple[str, ...]) -> dict[int, list[_State]]:
    """Return the states of each key in order, truncates spelt out as deletes, unchanged values filled."""
    states: dict[int, list[_State]] = defaultdict(list)
    last: dict[int, dict[str, Any]] = {}
    for event in sorted(events, key=lambda event: event.place):
        if event.dataset != dataset:
            continue
        at = moment(event.ts_ms)
        if event.op == "t":
            for key, earlier in states.items():
                states[key] = [*earlier, _State("d", event.sequence, at, None)]
            continue
        key = event.row["id"]
        if event.op == "d":
            states[key].append(_State("d", event.sequence, at, None))
            continue
        values = {column: event.row[column] for column in columns}
        for column in event.unchanged:
            source = key if event.old_key is None else event.old_key
            values[column] = last.get(source, {}).get(column)
        last[key] = values
        states[key].append(_State(event.op, event.sequence, at, values))
    return states


def _silver(
    content: Expected, name: str, rows: dict[int, list[_State]], columns: tuple[str, ...]
) -> None:
    events: Counter[Row] = Counter()
    history: Counter[Row] = Counter()
    current: Counter[Row] = Counter()
    for key, states in rows.items():
        for state in states:
            values = [_plain(c, (state.values or {}).get(c)) for c in columns]
            hashed = _row_hash([_hashable(c, (state.values or {}).get(c)) for c in columns])
            events[(key, *values, hashed, state.op, state.sequence, state.at)] += 1
        for values, begin, end, sequence in _spans(states):
            texts = [_plain(c, (values or {}).get(c)) for c in columns]
            history[(key, *texts, sequence, begin, end, end is None, values is None)] += 1
        if states[-1].values is not None:
            texts = [_plain(c, states[-1].values[c]) for c in columns]
            current[(key, *texts, states[-1].sequence)] += 1
    content.tables |= {
        f"sat_{name}": events, f"sat_{name}_history": history, f"sat_{name}_current": current,
    }  # fmt: skip


def _plain(column: str, value: Any) -> Any:
    return moment(value) if column == "placed_at" and value is not None else value


def _hashable(column: str, value: Any) -> Any:
    return value * 1000 if column == "placed_at" and value is not None else value


def _spans(states: list[_State]) -> list[tuple[dict[str, Any] | None, datetime, Any, str]]:
    """Return (values, from, to, place) of each span in which nothing changed; times never go back."""
    spans: list[tuple[dict[str, Any] | None, datetime, str]] = []
    clock = datetime.min.replace(tzinfo=UTC)
    for place, state in enumerate(states):
        clock = max(clock, state.at)
        if place == 0 or state.values != states[place - 1].values:
            spans.append((state.values, clock, state.sequence))
    ends = [begin for _, begin, _ in spans[1:]] + [None]
    return [(v, begin, end, seq) for (v, begin, seq), end in zip(spans, ends, strict=True)]


def _copies(events: list[Event]) -> Counter[Row]:
    """Return the rows of the table without a key."""
    rows: Counter[Row] = Counter()
    for event in sorted(events, key=lambda event: event.place):
        if event.dataset != "scans":
            continue
        if event.op == "t":
            rows.clear()
            continue
        rows[_scan(event.row)] += -1 if event.op == "d" else 1
        if event.before is not None:
            rows[_scan(event.before)] -= 1
    return +rows


def _scan(row: dict[str, Any]) -> Row:
    return row["item"], row["pieces"]


def _dimension(customers: dict[int, list[_State]]) -> Counter[Row]:
    """Return the versions of customers: those that were never visible are not among them."""
    rows: Counter[Row] = Counter()
    for key, states in customers.items():
        seen = [span for span in _spans(states) if span[2] is None or span[2] > span[1]]
        for place, (values, begin, end, _) in enumerate(seen):
            if values is not None:
                texts = [values[column] for column in CUSTOMER]
                start = BEGINNING if place == 0 else begin
                rows[(key_hash(key), key, *texts, start, end, end is None)] += 1
    return rows


def _facts(orders: dict[int, list[_State]]) -> list[Row]:
    rows = []
    for key, states in orders.items():
        values = states[-1].values
        if values is not None:
            customer = values["customer_id"]
            rows.append(
                (key_hash(key), key_hash(customer), key, customer, values["amount"],
                 moment(values["placed_at"]))
            )  # fmt: skip
    return rows


def _features(facts: list[Row]) -> Counter[Row]:
    """Return a row a customer and day with an order: orders and spend of that day and six before."""
    days: dict[tuple[int | None, date], list[Decimal]] = defaultdict(list)
    for _, _, _, customer, amount, placed_at in facts:
        if customer is not None:
            days[customer, placed_at.date()].append(amount)
    rows: Counter[Row] = Counter()
    for customer, day in days:
        window = [day - timedelta(days=back) for back in range(7)]
        amounts = [amount for d in window for amount in days.get((customer, d), [])]
        ready = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        rows[
            (key_hash(customer), day, customer, ready, len(amounts), sum(amounts, Decimal(0)))
        ] += 1
    return rows
