"""The gate cleanses, validates and identifies each bronze row, whatever types bronze has."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from contracts.parsing.load import load_domain
from silver.gate import identified, validated
from tests import orders

TEXTS = pa.map_(pa.string(), pa.string())
CARRIED = {
    "_op": pa.string(), "_sequence": pa.string(), "_source_ts": pa.timestamp("us", tz="UTC"),
    "_source": pa.string(), "_origin": pa.string(), "_batch": pa.int64(), "_rescued": TEXTS,
    "_before": TEXTS, "_given": pa.string(), "_old_key": TEXTS,
}  # fmt: skip
COLUMNS = {
    "order_id": pa.int64(), "customer_id": pa.int64(), "amount": pa.string(), "status": pa.string(),
    "discount": pa.string(), "rebate": pa.string(), "note": pa.string(),
}  # fmt: skip


def bronze(*rows):
    """Return bronze rows as Arrow; what is not given is null."""
    schema = pa.schema([*COLUMNS.items(), *CARRIED.items()])
    defaults = {"_op": "u", "_sequence": "1", "_source": "a", "_origin": "real", "_batch": 1}
    return pa.Table.from_pylist([defaults | row for row in rows], schema=schema)


@pytest.fixture
def contract(settings):
    """The contract of orders; `rebate` was named `discount`, and `note` was added with a default."""
    document = orders.document()
    evolved = {
        "rebate": {"previousNames": ["discount"]}, "note": {"absent": "none yet"},
    }  # fmt: skip
    document["schema"][0]["properties"] += [
        {
            "name": name,
            "logicalType": "string",
            "physicalType": "string",
            "customProperties": [{"property": "evolution", "value": evolution}],
        }
        for name, evolution in evolved.items()
    ]
    orders.write_contract(settings.contracts, document)
    return load_domain(settings.contracts, "shop")["orders"]


def test_each_row_is_typed_cleansed_and_validated(spark, contract):
    """In one pass: what is adopted is cast, what was renamed is read, what misfits is a reason."""
    rows = [
        {"order_id": 1, "customer_id": 7, "amount": "1.5", "status": " PAID "},
        {"order_id": 2, "customer_id": None, "amount": "-2", "status": "lost"},
        {"order_id": 3, "customer_id": 7, "amount": "many", "status": "n/a"},
        # too large for the type that bronze had then, and not for the contract's now
        {"order_id": 4, "customer_id": 7, "_rescued": [("amount", "12345678.00")]},
        {"order_id": 5, "customer_id": 7, "discount": "old", "_given": "order_id,discount"},
        {"order_id": 6, "customer_id": 7, "discount": "old", "rebate": "new"},
        {"order_id": 7, "customer_id": 7, "_given": "order_id,note"},
        {"order_id": 8, "_op": "d", "customer_id": 7, "_given": "order_id"},
    ]
    columns = [*contract.names, "_good", "_failures"]
    result = validated(spark.createDataFrame(bronze(*rows)), contract).select(*columns).toArrow()
    by_key = {row["order_id"]: row for row in result.to_pylist()}
    reasons = {
        key: {(f["column"], f["rule"]) for f in row["_failures"] or []}
        for key, row in by_key.items()
    }
    assert reasons == {
        1: set(),
        2: {
            ("customer_id", "required"),
            ("amount", "greater_than_or_equal_to"),
            ("status", "isin"),
        },
        3: {("amount", "type decimal(10,2)")},
        **{key: set() for key in (4, 5, 6, 7, 8)},
    }
    assert {key for key, row in by_key.items() if row["_good"]} == {1, 4, 5, 6, 7, 8}
    assert [by_key[key]["status"] for key in (1, 3)] == ["paid", None]
    assert [str(by_key[key]["amount"]) for key in (1, 4)] == ["1.50", "12345678.00"]
    assert [by_key[key]["rebate"] for key in (5, 6, 7)] == ["old", "new", None]
    assert [by_key[key]["note"] for key in (1, 5, 7, 8)] == ["none yet", "none yet", None, None]


def test_a_key_change_names_the_key_that_the_row_had(spark, contract):
    """The hash is that of the old key; a change that moves nothing, or without its key, has none."""
    rows = [
        {"order_id": 1, "customer_id": 7},
        {"order_id": 2, "customer_id": 7, "_old_key": [("order_id", "1")]},
        {"order_id": 3, "customer_id": 7, "_old_key": [("order_id", "x")]},
    ]
    frame = validated(spark.createDataFrame(bronze(*rows)), contract)
    result = frame.select("order_id", "placed_hk", "_moved_from").toArrow().to_pylist()
    by_key = {row["order_id"]: row for row in result}
    assert by_key[2]["_moved_from"] == by_key[1]["placed_hk"]
    assert (by_key[1]["_moved_from"], by_key[3]["_moved_from"]) == (None, None)


def test_a_row_keeps_its_identity_when_the_table_widens_or_gets_columns(spark):
    """The identity is of what came and where: not of the batch, of types, or of new null columns."""
    frame = spark.createDataFrame(bronze({"order_id": 1, "amount": "1", "_batch": 3}))
    wider = frame.withColumns(
        {"order_id": F.col("order_id").cast("int"), "later": F.lit(None).cast("string"),
         "_batch": F.lit(9)}
    )  # fmt: skip
    moved = frame.withColumn("_source", F.lit("b"))
    other = frame.withColumn("_rescued", F.create_map(F.lit("amount"), F.lit("x")))
    ids = [
        identified(rows).select("_row_id")
        for rows in (frame, wider, moved, other)
    ]  # fmt: skip
    union = ids[0]
    for more in ids[1:]:
        union = union.unionAll(more)
    same, again, *different = union.toArrow()["_row_id"].to_pylist()
    assert same == again
    assert len({same, *different}) == 3


def test_an_update_of_rows_without_a_key_comes_with_what_it_replaced(spark, settings):
    """A good update is a delete of its former content, too; a bad one is neither."""
    document = orders.document()
    for column in document["schema"][0]["properties"]:
        column.pop("primaryKey", None), column.pop("primaryKeyPosition", None)
    document["customProperties"][1]["value"] = {"satellite": "placed"}
    orders.write_contract(settings.contracts, document)
    contract = load_domain(settings.contracts, "shop")["orders"]
    before = [("order_id", "1"), ("customer_id", "7"), ("amount", "5"), ("status", "open")]
    rows = [
        {"order_id": 1, "customer_id": 7, "amount": "6", "_before": before},
        {"order_id": 2, "customer_id": 7, "amount": "-6", "_before": before},
        {"order_id": 3, "customer_id": 7, "_op": "c"},
    ]
    frame = validated(spark.createDataFrame(bronze(*rows)), contract)
    result = frame.select("_former", "_op", "order_id", "amount", "_good").toArrow().to_pylist()
    assert sorted(
        (r["_former"], r["_op"], r["order_id"], str(r["amount"]), r["_good"]) for r in result
    ) == [
        (False, "c", 3, "None", True),
        (False, "u", 1, "6.00", True),
        (False, "u", 2, "-6.00", False),
        (True, "d", 1, "5.00", True),
    ]
