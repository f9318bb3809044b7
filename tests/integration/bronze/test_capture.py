"""Bronze takes each file once and each row as it came; a bad file stops its dataset, unwritten."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach
from lakehouse.runs.ledger import Ledger
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

BRONZE = TableName.of("bronze", "shop", "orders")
GOOD = {
    "order_id": pa.array([1, 2], pa.int64()),
    "customer_id": pa.array([7, 8], pa.int64()),
    "amount": pa.array(["1.50", "2.00"]),
    "status": pa.array(["open", "paid"]),
}


@pytest.fixture
def shop(catalog, settings):
    """Settings of an empty home with the contract of orders."""
    orders.write_contract(settings.contracts)
    return settings


def bronze(settings):
    table = Tables.at(settings).read(BRONZE)
    return [] if table is None else sorted(table.to_pylist(), key=lambda row: str(row["_sequence"]))


def test_a_change_becomes_one_row_with_its_position(shop):
    """Each envelope is one row; the position sorts as the source committed."""
    events = [
        orders.event("c", 2, orders.order(2), transaction=9),
        orders.event("c", 1, orders.order(1), transaction=9),
        orders.event("u", 1, orders.order(1, status="paid"), orders.order(1), transaction=10),
        orders.event("d", 1, None, orders.order(2), transaction=101),
    ]
    orders.land_events(shop, "a.jsonl", events)
    run_layers(shop, "shop", ("bronze",))
    rows = bronze(shop)
    assert [(row["_op"], row["order_id"]) for row in rows] == [
        ("c", 1),
        ("c", 2),
        ("u", 1),
        ("d", 2),
    ]
    assert {len(row["_sequence"]) for row in rows} == {32}
    assert dict(rows[2]["_before"])["status"] == "open"
    assert {row["_method"] for row in rows} == {"debezium"}


def test_what_fits_no_column_is_rescued_as_text(shop):
    """A value of the wrong type and a line that cannot be read are kept, word for word."""
    torn = '{"before": null, "after": {"order_id": 3'
    wrong = orders.event("c", 1, orders.order(1, amount="abc"))
    orders.land_events(shop, "a.jsonl", [wrong, torn])
    run_layers(shop, "shop", ("bronze",))
    rescued = [dict(row["_rescued"]) for row in bronze(shop)]
    assert {"amount": "abc"} in rescued
    assert {"_line": torn} in rescued


def test_a_line_that_is_no_utf8_is_kept_with_its_bytes(shop):
    """A line with a Latin-1 byte is not read with a wrong letter: it is kept as text and as bytes."""
    path = orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(1))])
    wrong = json.dumps(orders.event("c", 2, orders.order(2, caf="x"))).encode()
    wrong = wrong.replace(b'"open"', b'"op\xe9n"').replace(b'"caf"', b'"caf\xe9"')
    path.write_bytes(path.read_bytes() + wrong + b"\n")
    run_layers(shop, "shop", ("bronze", "silver"))
    (row,) = [row for row in bronze(shop) if row["_rescued"]]
    rescued = dict(row["_rescued"])
    assert bytes.fromhex(rescued["_bytes"]) == wrong
    assert rescued["_line"] == wrong.decode(errors="replace")
    assert row["order_id"] is None
    assert not [name for name in row if name.startswith("caf")]
    (refused,) = Tables.at(shop).rows(TableName.of("silver", "shop", "orders_quarantine"))
    assert [(f["column"], f["rule"]) for f in refused["failures"]] == [("_line", "unreadable")]


def test_a_text_of_a_parquet_file_that_is_no_utf8_is_refused_alone(shop):
    """Its row goes to quarantine with the value, a row beside it is good, and any reader can read."""
    wrong = {**GOOD, "status": pa.array([b"open", b"pa\xefd"]), "note": pa.array([b"\xff", b"ok"])}
    path = orders.land_snapshot(shop, "part.parquet", wrong)
    texts = pa.schema([*[(n, c.type) for n, c in GOOD.items()], ("note", pa.string())])
    # what a careless writer does: bytes under the name of text
    rows = pq.read_table(path)
    columns = [
        pa.Array.from_buffers(pa.string(), len(column), column.combine_chunks().buffers())
        if pa.types.is_binary(column.type)
        else column
        for column in rows.columns
    ]
    pq.write_table(pa.table(columns, schema=texts), path)
    run_layers(shop, "shop", ("bronze", "silver"))
    assert {row["order_id"]: row["status"] for row in bronze(shop)} == {1: "open", 2: None}
    assert {row["order_id"]: row["note"] for row in bronze(shop)} == {1: "\ufffd", 2: "ok"}
    (refused,) = Tables.at(shop).rows(TableName.of("silver", "shop", "orders_quarantine"))
    assert [tuple(f.values()) for f in refused["failures"]] == [
        ("status", "type string", "pa\ufffdd")
    ]


def test_an_unknown_column_appears(shop):
    """A column that the contract lacks is added to the table and filled from then on."""
    orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(1))])
    run_layers(shop, "shop", ("bronze",))
    later = orders.event("c", 1, orders.order(2, channel="web"), transaction=101)
    orders.land_events(shop, "b.jsonl", [later])
    run_layers(shop, "shop", ("bronze",))
    assert [row["channel"] for row in bronze(shop)] == [None, "web"]


def test_a_snapshot_stands_before_every_change(shop):
    """Rows of a Parquet snapshot sort before changes, in the contract's types."""
    orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(9))])
    orders.land_snapshot(shop, "part.parquet", GOOD)
    run_layers(shop, "shop", ("bronze",))
    rows = bronze(shop)
    assert [row["order_id"] for row in rows] == [1, 2, 9]
    assert [str(row["amount"]) for row in rows] == ["1.50", "2.00", "5.00"]


def test_a_file_under_another_name_is_not_loaded_again(shop):
    """The same content is known by its hash; the ledger says which file it equals."""
    events = [orders.event("c", 1, orders.order(1))]
    orders.land_events(shop, "a.jsonl", events)
    run_layers(shop, "shop", ("bronze",))
    orders.land_events(shop, "a-again.jsonl", events)
    run_layers(shop, "shop", ("bronze",))
    assert len(bronze(shop)) == 1
    assert (
        "same content as orders/changes/a.jsonl"
        in Ledger(Tables.at(shop)).steps("shop")[-1]["message"]
    )
    assert run_layers(shop, "shop", ("bronze",)).nothing_new


def test_nothing_new_writes_nothing(shop):
    """A run without news ends without a version, a ledger row or a file."""
    orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(1))])
    run_layers(shop, "shop", ("bronze", "silver"))
    before = sorted(path for path in shop.home.rglob("*") if path.is_file())
    assert run_layers(shop, "shop", ("bronze", "silver")).nothing_new
    assert sorted(path for path in shop.home.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "no whole Parquet file"),
        (lambda path: path.write_text("order_id,amount\n1,2\n"), "no whole Parquet file"),
        (lambda path: path.write_bytes(b""), "is empty (0 bytes)"),
    ],
)
def test_a_spoilt_file_stops_its_dataset_before_anything_is_written(shop, spoil, said):
    """A truncated, foreign or empty Parquet file is a breach; when it comes again, all flows."""
    path = orders.land_snapshot(shop, "part.parquet", GOOD)
    orders.land_snapshot(shop, "part-2.parquet", {**GOOD, "order_id": pa.array([3, 4], pa.int64())})
    whole = path.read_bytes()
    spoil(path)
    with pytest.raises(ContractBreach, match=r"orders/snapshot/part\.parquet") as caught:
        run_layers(shop, "shop")
    assert said in str(caught.value)
    assert caught.value.exit_code == 3
    assert bronze(shop) == []
    path.write_bytes(whole)
    run_layers(shop, "shop")
    assert sorted(row["order_id"] for row in bronze(shop)) == [1, 2, 3, 4]


def test_a_missing_required_column_is_a_breach(shop):
    """A file without a column that the contract requires is not loaded; the column is named."""
    orders.land_snapshot(
        shop, "part.parquet", {k: v for k, v in GOOD.items() if k != "customer_id"}
    )
    with pytest.raises(ContractBreach, match=r"lacks the required column\(s\) customer_id"):
        run_layers(shop, "shop")


def test_an_empty_change_file_is_no_error(shop):
    """A day without changes is an empty file: loaded, with a note."""
    orders.land_events(shop, "a.jsonl", [])
    result = run_layers(shop, "shop", ("bronze",))
    assert "no rows" in result.steps[0].message
    assert run_layers(shop, "shop", ("bronze",)).nothing_new


def test_a_batch_that_died_before_its_commit_is_loaded_by_the_next(shop):
    """The plan is written ahead; a plan without its commit is given up and made anew."""
    from bronze import capture

    orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(1))])
    contracts = load_domain(shop.contracts, "shop").values()
    with Ledger(Tables.at(shop)).run("shop") as run:
        capture.prepare(shop, contracts, run)
    run_layers(shop, "shop", ("bronze",))
    assert len(bronze(shop)) == 1
    assert run_layers(shop, "shop", ("bronze",)).nothing_new
