"""Tables are made with the comments of their contract, and keep them and what is never null."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from contracts.compilers.table_descriptions import bronze, events
from contracts.parsing.load import load_file
from lakehouse.storage.append import append, append_arrow
from lakehouse.storage.tables import TableName, Tables
from tests.orders import document, write_contract

NAME = TableName("silver", "shop__sat_placed")
FIRST = {"order_id": 1, "_op": "c", "_batch": 1}
MORE = {"order_id": 2, "_op": "u", "_batch": 2, "amount": 1.5, "unknown": "x"}


@pytest.fixture
def described(tmp_path):
    """The description of the orders' events, whose amount is described."""
    contract = document()
    contract["schema"][0]["properties"][2]["description"] = "What was paid."
    return events(load_file(write_contract(tmp_path / "contracts", contract), "shop"))


@pytest.fixture(params=["arrow", pytest.param("spark", marks=pytest.mark.spark)])
def write(request, described, tmp_path):
    """Append one row as either engine does; return what the gate's table then is."""
    tables = Tables(str(tmp_path))

    def arrow(row):
        return append_arrow(tables, NAME, pa.Table.from_pylist([row]), described=described)

    def spark(row):
        session = request.getfixturevalue("spark")
        frame = session.createDataFrame(pa.Table.from_pylist([row]))
        return append(tables, NAME, frame, described=described)

    return tables, {"arrow": arrow, "spark": spark}[request.param]


def fields(tables):
    """The stored columns by name: (comment, whether null is allowed)."""
    columns = json.loads(tables.open(NAME).schema().to_json())["fields"]
    return {f["name"]: (f["metadata"].get("comment", ""), f["nullable"]) for f in columns}


def test_a_column_that_comes_later_brings_its_comment(write, described):
    """The first append makes the table, a later one adds to it; what is never null stays so."""
    tables, append_row = write
    assert append_row(FIRST).rows == 1
    assert tables.open(NAME).metadata().description == described.comment
    assert append_row(MORE).rows == 1
    stored = fields(tables)
    assert stored["amount"] == ("What was paid.", True)
    assert stored["unknown"] == ("", True)
    assert {name for name, (_, nullable) in stored.items() if not nullable} == {
        "order_id",
        "_op",
        "_batch",
    }
    assert stored["_batch"][0] == described.comments["_batch"]
    assert append_row(FIRST).rows == 1, "an append without the new columns is as good as ever"


def test_a_null_where_none_may_be_is_refused(write):
    """Nothing of the batch is written; that a key column is null can only be a fault of the engine."""
    tables, append_row = write
    append_row(FIRST)
    before = tables.version(NAME)
    with pytest.raises(Exception, match=r"(?i)null|validation|constraint|invariant"):
        append_row({**FIRST, "_op": None})
    assert tables.version(NAME) == before


def test_a_payload_column_of_bronze_may_be_null(tmp_path):
    """Bronze takes each row as it came: of it only the batch is never null."""
    contract = load_file(write_contract(tmp_path), "shop")
    assert bronze(contract).required == {"_batch"}
