"""Columns that a contract lacks, and values that its types are too narrow for, as bronze has them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bronze.schema_drift import drifted_columns
from contracts.parsing.load import load_domain
from lakehouse.storage.tables import TableName, Tables
from tests import orders

BRONZE = TableName.of("bronze", "shop", "orders")
RESCUED = pa.map_(pa.string(), pa.string())


@pytest.fixture
def contract(settings):
    """The contract of orders with customers and amounts that are narrow."""
    document = orders.document()
    _, customer, amount, _ = document["schema"][0]["properties"]
    customer["physicalType"], amount["physicalType"] = "int", "decimal(4,2)"
    orders.write_contract(settings.contracts, document)
    return load_domain(settings.contracts, "shop")["orders"]


def drift(settings, contract, columns):
    """Return the drifted columns of a bronze table, by name."""
    tables = Tables.at(settings)
    tables.append(BRONZE, pa.table(columns))
    return {column.name: column for column in drifted_columns(tables, contract)}


def test_no_table_and_no_unknown_column_is_no_drift(settings, contract):
    """Columns of the contract, and those of the engine, are none that it lacks."""
    assert drifted_columns(Tables.at(settings), contract) == []
    columns = {"order_id": [1], "_op": ["c"], "_rescued": pa.array([None], RESCUED)}
    assert drift(settings, contract, columns) == {}


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["true", "false", None], "boolean"),
        (["2024-01-31", "2024-02-01Z"], "date"),
        (["2024-01-31T10:00:00Z", "2024-01-31 10:00"], "timestamp"),
        (["1", "-20"], "bigint"),
        (["007", "12"], "string"),
        (["1.5", "12.25"], "decimal(18,2)"),
        (["123456789012345678901"], "decimal(21,0)"),
        (["1e3", "2.5"], "double"),
        (["x", "1"], "string"),
        ([None, None], "string"),
    ],
)
def test_an_unknown_column_has_the_narrowest_type_that_fits_its_values(
    settings, contract, values, type_
):
    """A number with a leading zero is a code; whole numbers get room to grow."""
    column = drift(settings, contract, {"extra": pa.array(values, pa.string())})["extra"]
    assert (column.type, column.rows, column.nulls) == (type_, len(values), values.count(None))
    assert column.old == ""


def test_the_shapes_of_values_are_shown_and_no_value(settings, contract):
    """The most frequent shapes come first: letters as `a`, digits as `9`."""
    column = drift(settings, contract, {"code": ["AB-12", "cd-34", "Ünï 5"]})["code"]
    assert column.shapes == ("aa-99", "aaa 9")
    assert column.to_dict() == {
        "column": "code", "type": "string", "old_type": None, "rows": 3, "nulls": 0,
        "null_share": 0.0, "shapes": ["aa-99", "aaa 9"],
    }  # fmt: skip


def test_a_type_that_is_too_narrow_gets_the_width_of_its_rescued_values(settings, contract):
    """Whole numbers become bigint, decimals as wide as needed; no type takes a word."""
    rescued = [
        [("customer_id", "3000000000"), ("amount", "123456.789")],
        [("amount", "1.5"), ("order_id", "x")],
        None,
    ]
    columns = drift(settings, contract, {"_rescued": pa.array(rescued, RESCUED)})
    assert {name: (c.type, c.old, c.rows) for name, c in columns.items()} == {
        "customer_id": ("bigint", "int", 1), "amount": ("decimal(18,3)", "decimal(4,2)", 2),
    }  # fmt: skip


def test_rescued_words_are_no_reason_for_a_wider_type(settings, contract):
    """One value that no number's type takes, and the column stays as it is."""
    rescued = [[("customer_id", "3000000000")], [("customer_id", "many")]]
    assert drift(settings, contract, {"_rescued": pa.array(rescued, RESCUED)}) == {}
