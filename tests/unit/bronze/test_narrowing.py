"""A source whose type became narrower than its earlier values is a breach, before anything is read."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from bronze import capture
from bronze.narrowing import refuse_narrowed
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach
from lakehouse.storage.tables import TableName, Tables
from tests import orders

BRONZE = TableName.of("bronze", "shop", "orders")
LARGE = 3_000_000_000


@pytest.fixture
def contract(settings):
    """The contract of orders."""
    orders.write_contract(settings.contracts)
    return load_domain(settings.contracts, "shop")["orders"]


@pytest.fixture
def tables(settings):
    """Tables whose bronze has customers of which two are too large for an int."""
    tables = Tables.at(settings)
    tables.append(
        BRONZE,
        pa.table(
            {
                "customer_id": pa.array([1, LARGE, LARGE, None], pa.int64()),
                "amount": pa.array([1.5, 2, 3, 123.25], pa.float64()),
            }
        ),
    )
    return tables


@pytest.mark.parametrize(
    ("column", "kind", "count"),
    [
        ("customer_id", pa.int32(), 2),
        ("customer_id", pa.int8(), 2),
        ("customer_id", pa.int64(), 0),
        ("customer_id", pa.string(), 0),
        ("amount", pa.decimal128(4, 2), 1),
        ("amount", pa.decimal128(10, 2), 0),
        ("status", pa.int8(), 0),
    ],
)
def test_a_type_is_narrowed_where_it_cannot_have_earlier_values(
    tables, contract, column, kind, count
):
    """Narrower than the contract and than a stored value: the rows are counted, file and type named."""
    schemas = {"c.parquet": pa.schema([(column, kind)])}
    if not count:
        refuse_narrowed(tables, contract, schemas)
        return
    with pytest.raises(ContractBreach, match=rf"c\.parquet has {column} as .*, and {count} rows"):
        refuse_narrowed(tables, contract, schemas)


def test_a_narrower_type_that_always_sufficed_is_no_breach(settings, contract):
    """Without a stored value, or with small ones, nothing shows that anything was cut off."""
    schemas = {"a.parquet": pa.schema([("customer_id", pa.int32())])}
    tables = Tables.at(settings)
    refuse_narrowed(tables, contract, schemas)
    tables.append(BRONZE, pa.table({"customer_id": pa.array([1, 2], pa.int64())}))
    refuse_narrowed(tables, contract, schemas)


def test_the_dataset_stops_before_anything_is_planned(settings, contract, tables):
    """The breach names file, column, type and rows; neither table nor file log is written."""
    rows = {
        "order_id": pa.array([1], pa.int64()), "customer_id": pa.array([4], pa.int32()),
        "status": ["open"],
    }  # fmt: skip
    orders.land_snapshot(settings, "c.parquet", rows)
    steps = []
    run = SimpleNamespace(number=2, domain="shop", record=steps.append, warnings=[])
    batches, [breach] = capture.prepare(settings, [contract], run)
    assert batches == []
    for part in ("c.parquet", "customer_id as int", "2 rows of bronze.shop__orders"):
        assert part in str(breach)
    assert breach.exit_code == 3
    assert [step.status for step in steps] == ["breach"]
    assert tables.version(BRONZE) == 0
    assert not tables.exists(TableName("ops", "captured_files"))
