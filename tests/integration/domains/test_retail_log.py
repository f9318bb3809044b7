"""The retail change log: its order, its forms, and the rows it leaves at each day's end."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from domains.retail import source
from tests.integration.domains.changelog import LOGGED, as_multiset, events, real_state


@pytest.mark.parametrize("day", source.days(), ids=str)
@pytest.mark.parametrize("dataset", LOGGED)
def test_real_rows_at_each_days_end_are_the_packages(landing, dataset, day):
    """Snapshot and log, folded, give exactly the package's rows less those changed for good."""
    overridden = source.overridden(dataset, day, "tiny")
    number = source.days().index(day)
    package = {
        tuple(row[k] for k in source.KEYS[dataset])
        for row in source.rows(dataset, "tiny").to_pylist()
    }
    # a day renames and delists a product; it moves a household, and every other day one is away
    changed = {"products": 2 * (number + 1), "demographics": number + 2 - number % 2}
    assert len(overridden & package) == changed.get(dataset, 0)
    expected = [
        row
        for row in source.rows(dataset, "tiny", last=day).to_pylist()
        if tuple(row[k] for k in source.KEYS[dataset]) not in overridden
    ]
    assert as_multiset(real_state(landing, dataset, day)) == as_multiset(expected)


def test_transactions_stand_in_one_growing_order(landing):
    """Over all datasets: one start per transaction, growing by commit, each event at its place."""
    placed = []
    for dataset in LOGGED:
        logged = events(landing, dataset)
        assert logged, dataset
        for event in logged:
            origin, place = event["source"], event["transaction"]
            start, lsn = (int(part) for part in json.loads(origin["sequence"]))
            assert origin["lsn"] == lsn > start
            assert place["id"] == f"{origin['txId']}:{lsn}"
            assert origin["table"] == dataset
            placed.append((origin["txId"], start, place["total_order"], lsn, origin["ts_ms"]))
    placed.sort()
    assert len({(tx, order) for tx, _, order, *_ in placed}) == len(placed)
    assert len({tx for tx, *_ in placed}) == len({(tx, start) for tx, start, *_ in placed})
    for (tx, _, _, lsn, _), (next_tx, start, *_) in pairwise(placed):
        assert next_tx == tx or start > lsn, "a transaction starts past the end of the one before"
    for column in (1, 3, 4):
        values = [row[column] for row in placed]
        assert values == sorted(values)
    orders = {tx: [row[2] for row in placed if row[0] == tx] for tx in {row[0] for row in placed}}
    assert all(order == list(range(1, len(order) + 1)) for order in orders.values())


def test_a_transaction_spans_datasets(landing):
    """A redeemed coupon is booked with its basket; a campaign starts with coupons and targets."""
    tables: dict[int, set[str]] = {}
    for dataset in LOGGED:
        for event in events(landing, dataset):
            tables.setdefault(event["source"]["txId"], set()).add(dataset)
    assert {"campaign_descriptions", "coupons", "campaigns"} in tables.values()


def test_a_days_file_has_that_local_day(landing):
    """Every commit of a file falls on its day by the stores' clock, and baskets on their own time."""
    for day in source.days():
        lines = (landing / "transactions" / "changes" / f"{day}.jsonl").read_text().splitlines()
        complete = [line for line in lines if line.endswith("}}")]
        assert len(complete) == len(lines) - 1, "one line is torn"
        for line in complete:
            event = json.loads(line)
            at = datetime.fromtimestamp(
                event["source"]["ts_ms"] / 1000, ZoneInfo("America/New_York")
            )
            assert at.date() == day
            if event["op"] == "c" and event["_origin"] == "real":
                stamp = pd.Timestamp(event["after"]["transaction_timestamp"])
                assert stamp.timestamp() * 1000 == event["source"]["ts_ms"]


def test_replica_identity_decides_the_columns_of_before(landing):
    """Before is the whole row for lines, households and redemptions; products have the key only."""
    changed = {"transactions": {"u", "d"}, "demographics": {"u"}, "coupon_redemptions": {"d"}}
    for dataset, operations in changed.items():
        last: dict[tuple, dict] = {}
        assert {event["op"] for event in events(landing, dataset)} - {"c"} == operations
        for event in events(landing, dataset):
            key = tuple((event["after"] or event["before"])[k] for k in source.KEYS[dataset])
            if event["op"] != "c":
                assert None not in (event["before"], *key)
                assert event["before"] == last.get(key, event["before"])
            last[key] = event["after"]
    ops = Counter()
    for event in events(landing, "products"):
        ops[event["op"]] += 1
        if event["op"] == "u":
            assert event["before"] is None
        else:
            assert {name for name, value in event["before"].items() if value is not None} == {
                "product_id"
            }
    assert ops == {"u": 4, "d": 4}


def test_values_have_the_connectors_forms(landing):
    """Instants end in Z, dates too, numerics are text with two decimals, identifiers are numbers."""
    first = next(e for e in events(landing, "transactions") if e["_origin"] == "real")["after"]
    assert first["transaction_timestamp"].startswith("2017-12-28T")
    assert first["transaction_timestamp"].endswith("Z")
    assert str(Decimal(first["sales_value"]).as_tuple().exponent) == "-2"
    assert type(first["basket_id"]) is type(first["week"]) is int
    campaign = events(landing, "campaign_descriptions")
    assert [e["after"] for e in campaign] == [
        {
            "campaign_id": 23,
            "campaign_type": "Type B",
            "start_date": "2017-12-28Z",
            "end_date": "2018-02-04Z",
        }
    ]


def test_products_gain_a_column_on_the_second_day(landing):
    """The first day's product rows lack `organic`; later ones have it."""
    first, later = [], []
    for event in events(landing, "products"):
        day = datetime.fromtimestamp(event["source"]["ts_ms"] / 1000, ZoneInfo("America/New_York"))
        (first if day.date() == source.START_DAY else later).append(event)
    assert first
    assert all("organic" not in (e["after"] or e["before"]) for e in first)
    assert {type(e["after"]["organic"]) for e in later if e["op"] == "u"} == {bool}


def test_rows_go_to_b_and_back_to_a(landing):
    """Lines return within the day, a household within two days, and the last event is real."""
    back = Counter()
    for dataset in ("transactions", "demographics"):
        history: dict[tuple, list[dict]] = {}
        for event in events(landing, dataset):
            if event["op"] == "u":
                key = tuple(event["after"][k] for k in source.KEYS[dataset])
                history.setdefault(key, []).append(event)
        for updates in history.values():
            if len(updates) == 2 and updates[0]["before"] == updates[1]["after"]:
                assert [e["_origin"] for e in updates] == ["synthetic", "real"]
                back[dataset] += 1
    assert back == {"transactions": 16, "demographics": 2}


def test_every_day_has_bad_rows_to_quarantine(landing):
    """5 to 8 lines a day are bad: one cannot be parsed, none is real, none has a real basket."""
    baskets = set(source.rows("transactions", "tiny")["basket_id"].to_pylist())
    for day in source.days():
        seen = Counter()
        for line in (
            (landing / "transactions" / "changes" / f"{day}.jsonl").read_text().splitlines()
        ):
            try:
                event = json.loads(line)
            except ValueError:
                seen["torn"] += 1
                continue
            row = event["after"] or event["before"]
            if row["basket_id"] not in baskets:
                assert event["_origin"] == "synthetic"
                seen["quantity"] += row["quantity"] == -3
                seen["type"] += row["sales_value"] == "abc"
                seen["null"] += row["household_id"] is None
                seen["week"] += row["week"] == 99
                seen["all"] += 1
        assert 5 <= seen.pop("all") + seen["torn"] <= 8
        assert seen == {"torn": 1, "quantity": 1, "type": 1, "null": 1, "week": 1}
