"""The vault's views over events: history, current rows, points in time, truncates, copies without a key."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from contracts.compilers import vault_sql
from contracts.model.contract import Column, Contract, Hub, Vault
from tests.unit.contracts.spark_sql import run

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
KEY, A, B = b"k", b"a", b"b"


def contract(*, keyless=False):
    """Return a contract of one hub and its satellite, or of rows without a key."""
    columns = (Column("id", "bigint", key=0 if keyless else 1), Column("status", "string"))
    hubs = () if keyless else (Hub("order", ("id",), ("id",)),)
    return Contract(
        "shop",
        "orders",
        "1.0.0",
        "active",
        "",
        "",
        columns,
        (),
        vault=Vault(hubs, satellite="orders"),
    )


def event(place, status="open", op="u", *, key=KEY, minute=None):
    """Return an event at a place in the source's order; its hashdiff is its status."""
    at = START + dt.timedelta(minutes=place if minute is None else minute)
    return {
        "order_hk": key, "orders_hk": key, "id": 1, "status": status, "_hashdiff": (status or "").encode(),
        "_op": op, "_sequence": f"{place:04}", "_source_ts": at, "_origin": "real", "_flags": None, "_batch": 1,
    }  # fmt: skip


SCHEMA = pa.schema({
    "order_hk": pa.binary(), "orders_hk": pa.binary(), "id": pa.int64(), "status": pa.string(),
    "_hashdiff": pa.binary(), "_op": pa.string(), "_sequence": pa.string(),
    "_source_ts": pa.timestamp("us", "UTC"), "_origin": pa.string(), "_flags": pa.list_(pa.string()),
    "_batch": pa.int64(),
})  # fmt: skip


def rows_of(query, events):
    return run(query, events=pa.Table.from_pylist(events, SCHEMA))


def history(events, **kind):
    rows = rows_of(vault_sql.history_view(contract(**kind), "events"), events)
    return sorted(rows, key=lambda row: (row["status"] or "", row["_sequence"]))


def minutes(row):
    """Return a span as minutes from the start, None where it is open."""
    ends = (row["valid_from"], row["valid_to"])
    return tuple(None if at is None else int((at - START).total_seconds() // 60) for at in ends)


def test_history_has_a_row_a_change_and_a_value_that_returns_is_a_change():
    """A -> A -> B -> A is three rows: equal neighbours are one, a value that comes back is another."""
    events = [event(1, "a"), event(2, "a"), event(3, "b"), event(4, "a")]
    spans = sorted(rows_of(vault_sql.history_view(contract(), "events"), events), key=minutes_from)
    assert [(row["status"], minutes(row)) for row in spans] == [
        ("a", (1, 3)), ("b", (3, 4)), ("a", (4, None)),
    ]  # fmt: skip
    assert [row["is_current"] for row in spans] == [False, False, True]


def minutes_from(row):
    return row["valid_from"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_history_does_not_depend_on_the_order_of_arrival(order):
    """Events are put in the source's order by their sequence."""
    events = [event(1, "a"), event(2, "b"), event(3, None, "d")]
    spans = history([events[place] for place in order])
    assert [(row["status"], minutes(row), row["is_deleted"]) for row in spans] == [
        (None, (3, None), True), ("a", (1, 2), False), ("b", (2, 3), False),
    ]  # fmt: skip


def test_validity_never_goes_back_where_commit_times_do():
    """The source's order decides; a commit time before that of an earlier event is raised to it."""
    spans = history([event(1, "a", minute=5), event(2, "b", minute=3)])
    assert [(row["status"], minutes(row)) for row in spans] == [("a", (5, 5)), ("b", (5, None))]


def test_current_rows_are_the_latest_event_of_each_key_without_deletes():
    """A key whose last event is a delete has no current row."""
    events = [event(1, "a"), event(2, "b"), event(1, "x", key=B), event(2, None, "d", key=B)]
    rows = rows_of(vault_sql.current_view(contract(), "events"), events)
    assert [(row["order_hk"], row["status"], row["_sequence"]) for row in rows] == [
        (KEY, "b", "0002")
    ]


def test_a_point_in_time_has_the_events_in_force():
    """A row a key and instant of any change, with the sequence of each satellite's event then."""
    schema = pa.schema(
        {"order_hk": pa.binary(), "valid_from": pa.timestamp("us", "UTC"), "_sequence": pa.string()}
    )
    spans = {
        "placed": [(KEY, START, "1"), (KEY, START + dt.timedelta(minutes=2), "3")],
        "paid": [(KEY, START + dt.timedelta(minutes=1), "2")],
    }
    tables = {
        name: pa.Table.from_pylist(
            [dict(zip(schema.names, row, strict=True)) for row in rows], schema
        )
        for name, rows in spans.items()
    }
    query = vault_sql.point_in_time_view("order", {"sat_placed": "placed", "sat_paid": "paid"})
    rows = sorted(run(query, **tables), key=minutes_from)
    assert [(row["sat_placed_sequence"], row["sat_paid_sequence"]) for row in rows] == [
        ("1", None), ("1", "2"), ("3", "2"),
    ]  # fmt: skip


def copies(events):
    """Return (content, minutes, copies) of each span of a history without a key."""
    return [
        (row["orders_hk"], minutes(row), row["copies"]) for row in history(events, keyless=True)
    ]


def test_without_a_key_equal_rows_are_counted():
    """An insert adds a copy, a delete takes one away; a span lasts as long as there are as many."""
    events = [
        event(1, "a", "c", key=A),
        event(2, "a", "c", key=A),
        event(3, "a", "d", key=A),
        event(4, "a", "d", key=A),
    ]
    assert copies(events) == [(A, (1, 2), 1), (A, (2, 3), 2), (A, (3, 4), 1), (A, (4, None), 0)]
    assert copies([events[2], events[0], events[3], events[1]]) == copies(events)


def test_a_truncate_takes_all_copies_away_and_what_follows_counts_from_nothing():
    """A truncate names no row; each content that was there before it ends, what comes later begins."""
    truncate = event(3, None, "t", key=None)
    events = [
        event(1, "a", "c", key=A),
        event(2, "a", "c", key=A),
        truncate,
        event(4, "a", "c", key=A),
        event(5, "b", "c", key=B),
    ]
    assert copies(events) == [
        (A, (1, 2), 1),
        (A, (2, 3), 2),
        (A, (3, 4), 0),
        (A, (4, None), 1),
        (B, (5, None), 1),
    ]
    current = rows_of(vault_sql.current_view(contract(keyless=True), "events"), events)
    assert sorted(row["status"] for row in current) == ["a", "b"]


def test_current_rows_without_a_key_come_as_often_as_they_have_copies():
    """Two inserts of one content are two rows; what was deleted as often as inserted is none."""
    events = [
        event(1, "a", "c", key=A),
        event(2, "a", "c", key=A),
        event(3, "b", "c", key=B),
        event(4, "b", "d", key=B),
    ]
    rows = rows_of(vault_sql.current_view(contract(keyless=True), "events"), events)
    assert [row["status"] for row in rows] == ["a", "a"]


def test_the_views_of_a_domain_name_what_they_read():
    """Each satellite has a history and current rows, each hub that satellites describe its points in time."""
    queries = vault_sql.views([contract()], "shop")
    assert {name: reads for name, (_, reads) in queries.items()} == {
        "shop__sat_orders_history": ["shop__sat_orders"],
        "shop__sat_orders_current": ["shop__sat_orders"],
        "shop__pit_order": ["shop__sat_orders_history"],
    }


def test_the_ghost_row_has_the_ghost_key_and_no_values():
    """Unknown members point to a row of 32 zero bytes."""
    assert run(vault_sql.ghost_row("order", ["id"])) == [
        {"order_hk": bytes(32), "id": None, "_batch": 0}
    ]
