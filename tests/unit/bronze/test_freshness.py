"""How far a source was read, and which datasets are overdue: silence is never taken for success."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from bronze.discovery import Entry, FileLog
from bronze.freshness import overdue, position_and_operations
from contracts.errors import ContractError
from contracts.parsing.load import load_domain
from lakehouse.storage.tables import TableName, Tables
from tests import orders

SERVICE_LEVELS = [
    {"property": "frequency", "value": 2, "unit": "h"},
    {"property": "latency", "value": 30, "unit": "d"},
]
BRONZE = TableName.of("bronze", "shop", "orders")


@pytest.fixture
def shop(settings):
    """Settings of an empty home with a contract that promises a file every two hours."""
    orders.write_contract(settings.contracts, orders.document(slaProperties=SERVICE_LEVELS))
    return settings


def test_a_dataset_is_overdue_after_its_frequency_and_latency(shop):
    """Nothing is overdue before anything of the domain came; then silence is, once it is too long."""
    tables = Tables.at(shop)
    contracts = load_domain(shop.contracts, "shop").values()
    assert overdue(tables, contracts) == []
    FileLog(tables, "shop").write([Entry("shop", "orders", 1, "a", 1, 1, "x", "planned")])

    captured = tables.rows(TableName("ops", "captured_files"))[0]["at"]
    due = captured + timedelta(days=30, hours=2)
    assert overdue(tables, contracts, due) == []
    [late] = overdue(tables, contracts, due + timedelta(seconds=1))
    assert (late.dataset, late.last) == ("orders", captured)
    assert str(late) == (
        f"orders: nothing came since {captured:%Y-%m-%d %H:%M} UTC; "
        "its contract promises files within 722 hours"
    )


def test_a_dataset_of_which_no_file_ever_came_is_overdue_beside_one_that_has_some(shop):
    """The domain has started, so the dataset without any file is late at once."""
    tables = Tables.at(shop)
    contracts = load_domain(shop.contracts, "shop").values()
    FileLog(tables, "shop").write([Entry("shop", "customers", 1, "a", 1, 1, "x", "planned")])
    [late] = overdue(tables, contracts, datetime.now(UTC))
    assert (late.dataset, late.last) == ("orders", None)


def test_a_batch_has_its_last_position_and_its_rows_by_operation(shop):
    """Only rows of the batch count; a line that could not be read has no operation."""
    tables = Tables.at(shop)
    rows = {
        "_op": ["c", "u", "u", None, "d"],
        "_sequence": ["01", "03", "02", None, "09"],
        "_batch": [2, 2, 2, 2, 1],
    }
    tables.append(BRONZE, pa.table(rows))
    assert position_and_operations(tables, BRONZE, 2, 4) == ("03", "? 1, c 1, u 2")
    assert position_and_operations(tables, BRONZE, 3, 0) == ("", "")


def test_units_of_service_levels(settings):
    """Minutes, hours, days, weeks, months and years are distinguished; no level is None."""
    for unit, hours in (
        ("min", 1 / 30),
        ("h", 2),
        ("d", 48),
        ("week", 336),
        ("m", 1440),
        ("years", 17520),
    ):
        level = {"property": "frequency", "value": 2, "unit": unit}
        orders.write_contract(settings.contracts, orders.document(slaProperties=[level]))
        [contract] = load_domain(settings.contracts, "shop").values()
        assert contract.service_level("frequency") == timedelta(hours=hours)
        assert contract.service_level("latency") is None


def test_an_unknown_unit_is_named_with_its_line(settings):
    """A service level that cannot be read is an error of the contract, before any data moves."""
    level = {"property": "frequency", "value": 2, "unit": "fortnight"}
    path = orders.write_contract(settings.contracts, orders.document(slaProperties=[level]))
    with pytest.raises(ContractError, match=rf"{path.name}:\d+: .*unit 'fortnight'"):
        load_domain(settings.contracts, "shop")
