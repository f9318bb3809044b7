"""`lakehouse audit`: planted faults against what the tables hold, on a small domain made by hand."""

from __future__ import annotations

import json
from decimal import Decimal

import pyarrow as pa
import pytest

from bronze.discovery import Entry, FileLog
from lakehouse.engine.duckdb import connection
from lakehouse.quality.fault_manifest import (
    Expected,
    Fault,
    Manifest,
    digest,
    fingerprint,
    path_of,
    text,
)
from lakehouse.runs.ledger import Ledger, Step
from lakehouse.storage.tables import TableName, Tables
from tests import stored_shop

NAMES = ("number", "customer_id", "price")
EVENTS, REFUSED = (TableName.of("silver", "shop", t) for t in ("sat_order", "orders_quarantine"))
BRONZE = TableName.of("bronze", "shop", "orders")
FREE, TWICE, LATE, BAD = "0001", "0002", "0003", "0009"


def orders_table(rows):
    """Return events as silver holds them: (number, place, price)."""
    schema = [("number", pa.int64()), ("customer_id", pa.int64()), ("price", pa.decimal128(10, 2)),
              ("_sequence", pa.string()), ("_op", pa.string()), ("_flags", pa.list_(pa.string())),
              ("_batch", pa.int64())]  # fmt: skip
    events = [
        {"number": number, "customer_id": 1, "price": Decimal(price), "_sequence": place,
         "_op": "c", "_flags": None if price != "0" else ["free"], "_batch": 1}
        for number, place, price in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(events, schema=pa.schema(schema))


GOOD = [(1, FREE, "0"), (2, TWICE, "5"), (3, LATE, "7")]


def content(place):
    """Return the fingerprint of the event at a place, as a source computes it."""
    with connection() as database:
        database.register("t", orders_table(GOOD))
        query = f"select md5({fingerprint(NAMES)}) from t where _sequence = ?"
        return database.execute(query, [place]).fetchone()[0]


FAULTS = [
    Fault("out of range", "orders", "2020-01-01", "quarantined", "price below zero", position=BAD,
          column="price", rule="greater_than_or_equal_to"),
    Fault("duplicate event", "orders", "2020-01-01", "superseded", "sent twice in one file", position=TWICE,
          times=2, content=content(TWICE)),
    Fault("late event", "orders", "2020-01-01", "valid", "a day late", due="2020-01-02",
          position=LATE, content=content(LATE),
          histories=({"key": {"number": 3}, "events": [[LATE, "c"]]},)),
    Fault("doubtful value", "orders", "2020-01-01", "valid", "for nothing", position=FREE,
          content=content(FREE), flags=("free",)),
    Fault("re-sent file", "orders", "2020-01-01", "once", "sent twice", file="orders/b.parquet",
          sha256="aa", times=2),
    Fault("truncated file", "orders", "2020-01-01", "replaced", "cut short", due="2020-01-02",
          file="orders/c.parquet", sha256="cut", good="cc"),
]  # fmt: skip


@pytest.fixture
def planted(empty):
    """Tables that hold what the manifest beside the landing folder promises."""
    tables = Tables(str(empty / "warehouse"))
    write(empty / "landing" / "shop", FAULTS)
    with Ledger(tables).run("shop") as run:
        breach = "orders: orders/c.parquet is no whole Parquet file: nothing was loaded"
        run.record(Step(1, "shop", "bronze", str(BRONZE), status="breach", message=breach))
        captured = orders_table([*GOOD, GOOD[1], (9, BAD, "-1")])
        tables.append(BRONZE, captured, idempotency_key=("capture", 1))
        tables.append(EVENTS, orders_table(GOOD), idempotency_key=(str(BRONZE), 1))
        refuse(tables, BAD)
    FileLog(tables, "shop").write(
        [
            Entry("shop", "orders", 1, f"orders/{name}.parquet", 1, 1, sha256, status)
            for name, sha256, status in (
                ("a", "aa", "planned"),
                ("b", "aa", "duplicate"),
                ("c", "cc", "planned"),
            )
        ]
    )
    return empty


def refuse(tables, place):
    """Put a row into quarantine for its price."""
    row = {
        "row": [("price", "-1")], "_sequence": place, "_source": "a.parquet", "_batch": 1,
        "failures": [{"column": "price", "rule": "greater_than_or_equal_to", "value": "-1"}],
    }  # fmt: skip
    tables.append(REFUSED, pa.Table.from_pylist([row], schema=stored_shop.QUARANTINE))


def write(landing, faults, through="2020-01-02", rows=GOOD, counts=(5, 3, 1, 1)):
    """Write the source's manifest beside the landing folder."""
    with connection() as database:
        database.register("t", orders_table(rows))
        expected = Expected(*counts, digest(database, "t", NAMES)[1])
    manifest = Manifest("shop", through, {"2020-01-01": 7}, tuple(faults), {"orders": expected})
    landing.mkdir(parents=True, exist_ok=True)
    path_of(landing).write_text(text(manifest), encoding="utf-8")


def shares(audit):
    return {kind["kind"]: (kind["recall"], kind["precision"]) for kind in audit["kinds"]}


def test_everything_as_promised_is_100_percent(lakehouse, planted):
    """Each kind of fault is counted, nothing is missed, and the exit code is 0."""
    ended = lakehouse("audit", "shop", "--json")
    assert (ended.json["problems"], ended.code) == ([], 0)
    assert shares(ended.json) == {fault.kind: (1.0, 1.0) for fault in FAULTS}
    (row,) = ended.json["rows"]
    assert row["as_promised"]
    assert [row[n] for n in ("input", "valid", "quarantined", "superseded")] == [5, 3, 1, 1]
    page = lakehouse("audit", "shop")
    assert "recall 100 %, precision 100 %" in page.out


def test_a_quarantined_row_that_is_gone_is_missed(lakehouse, planted):
    """Exit code 1, the recall of its kind falls, and the message names the fault."""
    Tables(str(planted / "warehouse")).open(REFUSED).delete()
    ended = lakehouse("audit", "shop", "--json")
    assert ended.code == 1
    assert shares(ended.json)["out of range"] == (0.0, 1.0)
    assert "price below zero" in ended.json["problems"][0]
    assert "100 %" not in lakehouse("audit", "shop").out.splitlines()[-1].split(",")[0]


def test_a_good_row_in_quarantine_is_a_false_positive(lakehouse, planted):
    """It costs precision of the kind whose reason it was given, never recall."""
    refuse(Tables(str(planted / "warehouse")), FREE)
    ended = lakehouse("audit", "shop", "--json")
    assert ended.code == 1
    assert shares(ended.json)["out of range"] == (1.0, 0.5)
    assert "no fault was planted there" in ended.json["problems"][0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"predicate": "_sequence = '0002'"}, "valid 2, not 3"),
        ({"updates": {"customer_id": "5"}, "predicate": "_sequence = '0001'"}, "events differ"),
    ],
)
def test_a_good_row_that_is_lost_or_changed_is_a_false_positive(
    lakehouse, planted, change, problem
):
    """The source's own digest differs, also for rows that no fault is about."""
    write(planted / "landing" / "shop", FAULTS[:1])
    table = Tables(str(planted / "warehouse")).open(EVENTS)
    table.update(**change) if "updates" in change else table.delete(**change)
    ended = lakehouse("audit", "shop", "--json")
    assert ended.code == 1
    assert problem in " ".join(ended.json["problems"])
    assert shares(ended.json)["good rows"][1] == 0.0


@pytest.mark.parametrize("fault", FAULTS[1:4], ids=lambda fault: fault.kind)
def test_an_event_with_another_content_is_not_the_one_promised(lakehouse, planted, fault):
    """The event has to be the one that was sent, not just one at its place."""
    table = Tables(str(planted / "warehouse")).open(EVENTS)
    table.update({"price": "99"}, predicate=f"_sequence = '{fault.position}'")
    ended = lakehouse("audit", "shop", "--json")
    assert shares(ended.json)[fault.kind][0] == 0.0


def test_an_edited_manifest_is_refused(lakehouse, planted):
    """A promise that was changed after the sealing says nothing any more."""
    path = path_of(planted / "landing" / "shop")
    path.write_text(
        path.read_text("utf-8").replace("sent twice in one file", "sent once in one file"),
        encoding="utf-8",
    )
    ended = lakehouse("audit", "shop")
    assert (ended.code, ended.out) == (1, "")
    assert "was changed after it was sealed" in ended.err
    content = json.loads(path.read_text("utf-8"))
    del content["sha256"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert lakehouse("audit", "shop").code == 1


def test_without_planted_faults_there_is_nothing_to_audit(lakehouse, empty):
    """It is wrong usage, and the message says what to do."""
    ended = lakehouse("audit", "shop")
    assert ended.code == 2
    assert "land with --faults first" in ended.err


def test_what_is_not_sent_yet_must_not_be_there(lakehouse, planted):
    """Before its day a late event is met by its absence, and its presence is a fault of its own."""
    landing, tables = planted / "landing" / "shop", Tables(str(planted / "warehouse"))
    write(landing, FAULTS, through="2020-01-01", rows=GOOD[:2], counts=(4, 2, 1, 1))
    assert shares(lakehouse("audit", "shop", "--json").json)["late event"][0] == 0.0
    for name in (EVENTS, BRONZE):
        tables.open(name).delete(f"_sequence = '{LATE}'")
    ended = lakehouse("audit", "shop", "--json")
    assert (ended.json["problems"], ended.code) == ([], 0)


def test_a_breach_or_a_skipped_file_that_nobody_planned_is_a_false_positive(lakehouse, planted):
    """A dataset that was stopped, or a file that was left out, has to be explained by a fault."""
    write(planted / "landing" / "shop", FAULTS[:4])
    ended = lakehouse("audit", "shop", "--json")
    assert ended.code == 1
    assert sorted(problem.split(" ")[0] for problem in ended.json["problems"]) == [
        "orders/b.parquet",
        "run",
    ]


def test_what_was_never_carried_is_missed(lakehouse, empty):
    """Without any table every fault is missed, without a trace."""
    write(empty / "landing" / "shop", FAULTS)
    ended = lakehouse("audit", "shop", "--json")
    assert (ended.code, ended.json["recall"]) == (1, 0.0)
