"""Bronze takes each file once and each row as it came; a bad file stops its dataset, unwritten."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bronze import capture
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach
from lakehouse.runs.ledger import Ledger
from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

BRONZE = TableName.of("bronze", "shop", "orders")
QUARANTINE = TableName.of("silver", "shop", "orders_quarantine")
GOOD = {
    "order_id": pa.array([21, 22], pa.int64()),
    "customer_id": pa.array([7, 8], pa.int64()),
    "amount": pa.array(["1.50", "2.00"]),
    "status": pa.array(["open", "paid"]),
}
TORN = '{"before": null, "after": {"order_id": 3'
# A line with a Latin-1 letter in a value and in the name of a column that the contract lacks
LATIN = json.dumps(orders.event("c", 2, orders.order(9, caf="x"), transaction=200)).encode()
LATIN = LATIN.replace(b'"open"', b'"op\xe9n"').replace(b'"caf"', b'"caf\xe9"')
CHANGES = [
    orders.event("c", 2, orders.order(2), transaction=9),
    orders.event("c", 1, orders.order(1), transaction=9),
    orders.event("u", 1, orders.order(1, status="paid"), orders.order(1), transaction=10),
    orders.event("d", 1, None, orders.order(2), transaction=101),
    orders.event("c", 1, orders.order(5, amount="abc"), transaction=102),
    TORN,
]


def bronze(settings):
    """Return the rows of bronze in the order of their positions."""
    rows = Tables.at(settings).rows(BRONZE)
    return sorted(rows, key=lambda row: str(row["_sequence"]))


def land_bytes_as_text(settings, name, columns):
    """Land a Parquet file as a careless writer makes it: bytes under the name of text."""
    path = orders.land_snapshot(settings, name, columns)
    rows = pq.read_table(path)
    arrays = [
        pa.Array.from_buffers(pa.string(), len(column), column.combine_chunks().buffers())
        if pa.types.is_binary(column.type)
        else column
        for column in rows.columns
    ]
    pq.write_table(pa.table(arrays, names=rows.column_names), path)


def content(settings):
    """Return every file of a home."""
    return sorted(path for path in settings.home.rglob("*") if path.is_file())


@dataclass
class Captured:
    """A home after four runs: everything at once, news, the same again, nothing."""

    settings: Settings
    first: Any
    second: Any
    third: Any
    fourth: Any
    before_fourth: list
    after_fourth: list

    @property
    def rows(self):
        """Return the bronze rows of the change log, by order and transaction."""
        return [row for row in bronze(self.settings) if row["_method"] == "debezium"]


@pytest.fixture(scope="module")
def captured(spark, tmp_path_factory):
    """A home that captured a change log with every kind of line, and snapshots, in three runs."""
    folder = tmp_path_factory.mktemp("captured")
    settings = Settings(
        home=folder / "home", contracts=folder / "contracts", dbt_project=folder / "dbt"
    )
    orders.write_contract(settings.contracts)
    path = orders.land_events(settings, "a.jsonl", CHANGES)
    path.write_bytes(path.read_bytes() + LATIN + b"\n")
    orders.land_snapshot(settings, "part.parquet", GOOD)
    wrong = {"order_id": pa.array([31, 32], pa.int64()), "status": pa.array([b"open", b"pa\xefd"])}
    land_bytes_as_text(
        settings, "part-2.parquet", GOOD | wrong | {"note": pa.array([b"\xff", b"ok"])}
    )
    first = run_layers(settings, "shop", ("bronze", "silver"))
    later = orders.event("c", 1, orders.order(3, channel="web"), transaction=300)
    orders.land_events(settings, "b.jsonl", [later])
    orders.land_events(settings, "empty.jsonl", [])
    second = run_layers(settings, "shop", ("bronze",))
    orders.land_events(settings, "b-again.jsonl", [later])
    third = run_layers(settings, "shop", ("bronze", "silver"))
    before = content(settings)
    fourth = run_layers(settings, "shop", ("bronze", "silver"))
    return Captured(settings, first, second, third, fourth, before, content(settings))


def test_a_change_becomes_one_row_with_its_position(captured):
    """Each envelope is one row; the position sorts as the source committed."""
    rows = [row for row in captured.rows if row["order_id"] in (1, 2)]
    assert [(row["_op"], row["order_id"]) for row in rows] == [
        ("c", 1), ("c", 2), ("u", 1), ("d", 2),
    ]  # fmt: skip
    assert {len(row["_sequence"]) for row in rows} == {32}
    assert dict(rows[2]["_before"])["status"] == "open"
    assert len(captured.rows) == len(CHANGES) + 2


def test_what_fits_no_column_is_rescued_as_text(captured):
    """A value of the wrong type and a line that cannot be read are kept, word for word."""
    rescued = [dict(row["_rescued"]) for row in captured.rows if row["_rescued"]]
    assert {"amount": "abc"} in rescued
    assert {"_line": TORN} in rescued
    assert len(rescued) == 3


def test_a_line_that_is_no_utf8_is_kept_with_its_bytes(captured):
    """A line with a Latin-1 byte is not read with a wrong letter: it is kept as text and as bytes."""
    (row,) = [row for row in captured.rows if "_bytes" in dict(row["_rescued"] or {})]
    rescued = dict(row["_rescued"])
    assert bytes.fromhex(rescued["_bytes"]) == LATIN
    assert rescued["_line"] == LATIN.decode(errors="replace")
    assert row["order_id"] is None
    assert not [name for name in row if name.startswith("caf")]
    rejected = Tables.at(captured.settings).rows(QUARANTINE)
    unreadable = [row for row in rejected if dict(row["row"]).get("_bytes")]
    assert [[(f["column"], f["rule"]) for f in row["failures"]] for row in unreadable] == [
        [("_line", "unreadable")]
    ]


def test_a_text_of_a_parquet_file_that_is_no_utf8_is_rejected_alone(captured):
    """Its row goes to quarantine with the value, a row beside it is good, and any reader can read."""
    rows = {row["order_id"]: row for row in bronze(captured.settings) if row["_method"] == "files"}
    assert {key: rows[key]["status"] for key in (31, 32)} == {31: "open", 32: None}
    assert {key: rows[key]["note"] for key in (31, 32)} == {31: "\ufffd", 32: "ok"}
    rejected = Tables.at(captured.settings).rows(QUARANTINE)
    reasons = [tuple(f.values()) for row in rejected for f in row["failures"]]
    assert reasons.count(("status", "type string", "pa\ufffdd")) == 1
    assert len(rejected) == 4


def test_an_unknown_column_appears(captured):
    """A column that the contract lacks is added to the table and filled from then on."""
    channels = {row["order_id"]: row["channel"] for row in captured.rows if row["order_id"]}
    assert channels == {1: None, 2: None, 5: None, 3: "web"}


def test_a_snapshot_stands_before_every_change(captured):
    """Rows of a Parquet snapshot sort before changes, in the contract's types."""
    rows = [row for row in bronze(captured.settings) if row["_sequence"]]
    methods = [row["_method"] for row in rows]
    assert methods == ["files"] * 4 + ["debezium"] * (len(rows) - 4)
    amounts = {row["order_id"]: str(row["amount"]) for row in rows[:4]}
    assert (amounts[21], amounts[22]) == ("1.50", "2.00")


def test_a_run_records_how_far_it_read(captured):
    """Rows by operation and the last position are in the ledger; what came in time is not overdue."""
    step = next(step for step in captured.first.steps if step.layer == "bronze")
    assert step.operations == "? 2, c 3, d 1, r 4, u 1"
    assert step.position == max(row["_sequence"] for row in captured.rows if row["order_id"] == 5)
    assert captured.first.overdue == ()


def test_an_empty_change_file_is_no_error(captured):
    """A day without changes is an empty file: loaded, with a note."""
    [step] = captured.second.steps
    assert step.message == "orders/changes/empty.jsonl: no rows (0 bytes)"
    assert step.written == 1


def test_a_file_under_another_name_is_not_loaded_again(captured):
    """The same content is known by its hash; the ledger names the file that it equals."""
    step = next(step for step in captured.third.steps if step.layer == "bronze")
    assert "same content as orders/changes/b.jsonl" in step.message
    assert step.written == 0
    messages = [row["message"] for row in Ledger(Tables.at(captured.settings)).steps("shop")]
    assert step.message in messages
    assert [row["order_id"] for row in captured.rows].count(3) == 1


def test_a_run_without_pending_files_writes_nothing(captured):
    """It ends without a version, a row of the ledger or a file."""
    assert captured.fourth.nothing_new
    assert captured.after_fourth == captured.before_fourth


@pytest.fixture
def shop(catalog, settings):
    """Settings of an empty home with the contract of orders."""
    orders.write_contract(settings.contracts)
    return settings


def test_a_spoilt_file_stops_its_dataset_before_anything_is_written(shop):
    """A truncated Parquet file is a breach; when it comes again whole, all is loaded."""
    path = orders.land_snapshot(shop, "part.parquet", GOOD)
    orders.land_snapshot(shop, "part-2.parquet", {**GOOD, "order_id": pa.array([3, 4], pa.int64())})
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(
        ContractBreach, match=r"orders/snapshot/part\.parquet is no whole"
    ) as caught:
        run_layers(shop, "shop")
    assert caught.value.exit_code == 3
    assert bronze(shop) == []
    path.write_bytes(whole)
    run_layers(shop, "shop", ("bronze",))
    assert sorted(row["order_id"] for row in bronze(shop)) == [3, 4, 21, 22]


def test_a_batch_that_died_before_its_commit_is_loaded_by_the_next(shop):
    """The plan is written ahead; a plan without its commit is abandoned and made again."""
    orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(1))])
    contracts = load_domain(shop.contracts, "shop").values()
    with Ledger(Tables.at(shop)).run("shop") as run:
        capture.prepare(shop, contracts, run)
    run_layers(shop, "shop", ("bronze",))
    assert len(bronze(shop)) == 1
    assert run_layers(shop, "shop", ("bronze",)).nothing_new
