"""A value is typed where it fits its column, and kept as text beside the row where it does not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from bronze.type_coercion import also_rescued, payload
from contracts.parsing.load import load_domain
from tests import orders

KINDS = {
    "order_id": ("integer", "bigint"), "whole": ("integer", "int"), "amount": ("number", "decimal(10,2)"),
    "day": ("date", "date"), "at": ("timestamp", "timestamp"), "flag": ("boolean", "boolean"),
    "status": ("string", "string"), "absent": ("string", "string"),
}  # fmt: skip
INSTANT = dt.datetime(2024, 1, 31, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def contract(settings):
    """A contract with a column of each kind."""
    properties = [
        {"name": name, "logicalType": logical, "physicalType": physical}
        for name, (logical, physical) in KINDS.items()
    ]
    properties[0] |= {"primaryKey": True, "primaryKeyPosition": 1}
    document = orders.document()
    document["schema"][0]["properties"] = properties
    document["customProperties"][1]["value"] = {
        "hubs": {"order": ["order_id"]}, "satellite": "placed"
    }  # fmt: skip
    orders.write_contract(settings.contracts, document)
    return load_domain(settings.contracts, "shop")["orders"]


def coerced(spark, contract, rows, unknown=(), **options):
    """Return the bronze payload of rows, in order, each with its `_rescued`."""
    frame = spark.createDataFrame(rows)
    given = {
        field.name: (F.col(field.name), field.dataType.simpleString())
        for field in frame.schema.fields
    }
    columns, rescued = payload(contract, given, unknown, **options)
    result = frame.select(*columns, rescued.alias("_rescued")).toArrow().to_pylist()
    return [row | {"_rescued": dict(row["_rescued"] or {})} for row in result]


def test_texts_are_typed_or_rescued(spark, contract):
    """Debezium's texts; a column that did not come is null and no misfit."""
    good = {
        "order_id": "1", "whole": "-7", "amount": "1.50", "day": "2024-01-31Z",
        "at": "2024-01-31T10:00:00Z", "flag": "true", "status": "any", "more": "kept",
    }  # fmt: skip
    wrong = {
        "order_id": "x", "whole": "3000000000", "amount": "123456789.00", "day": "someday",
        "at": "never", "flag": "perhaps", "status": "", "more": None,
    }  # fmt: skip
    nulls = dict.fromkeys(good)
    first, second, third = coerced(
        spark, contract, pa.Table.from_pylist([good, wrong, nulls]), ["more"]
    )
    assert first == {
        "order_id": 1, "whole": -7, "amount": Decimal("1.50"), "day": dt.date(2024, 1, 31),
        "at": INSTANT, "flag": True, "status": "any", "absent": None, "more": "kept", "_rescued": {},
    }  # fmt: skip
    assert second.pop("_rescued") == {
        name: wrong[name] for name in ("order_id", "whole", "amount", "day", "at", "flag")
    }
    assert {name for name, value in second.items() if value is not None} == {"status"}
    assert not any(third.values())


def test_typed_values_are_widened_or_cast(spark, contract):
    """A type that always fits is cast without a check; another value is rescued where it does not."""
    rows = pa.table(
        {
            "order_id": pa.array([1, 2], pa.int16()),
            "whole": pa.array([7, 3_000_000_000], pa.int64()),
            "status": pa.array([5, None], pa.int32()),
        }
    )
    first, second = coerced(spark, contract, rows)
    assert (first["order_id"], first["whole"], first["status"], first["_rescued"]) == (
        1, 7, "5", {},
    )  # fmt: skip
    assert (second["order_id"], second["whole"], second["_rescued"]) == (
        2, None, {"whole": "3000000000"},
    )  # fmt: skip


def test_misfits_are_added_to_those_there_are(spark):
    """Of a value that the stored table's type is too narrow for; without one the map stays as it is."""
    rows = pa.table(
        {
            "value": [1, 2, 3, 4],
            "misfit": [True, True, False, False],
            "rescued": pa.array(
                [None, [("a", "x")], [("a", "x")], None], pa.map_(pa.string(), pa.string())
            ),
        }
    )
    frame = spark.createDataFrame(rows)
    rescued = also_rescued(F.col("rescued"), [("value", F.col("value"), F.col("misfit"))])
    result = frame.select(rescued.alias("r")).toArrow()["r"].to_pylist()
    assert [None if row is None else dict(row) for row in result] == [
        {"value": "1"}, {"a": "x", "value": "2"}, {"a": "x"}, None,
    ]  # fmt: skip
