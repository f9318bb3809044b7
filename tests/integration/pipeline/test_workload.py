"""A run's workload, measured from file sizes and table logs without a JVM."""

import pytest

from contracts.parsing.load import load_domain
from lakehouse.layers import BATCH
from lakehouse.settings import Settings
from lakehouse.storage.table_log import bytes_added
from lakehouse.storage.tables import TableName
from pipeline.workload import SMALL_BYTES, TEXT_FACTOR, is_pending, is_small, nothing_to_do
from silver import pending
from tests import stored_shop


@pytest.fixture
def home(tmp_path):
    """A shop with three orders that silver has not read, and nothing landed."""
    settings = Settings(
        home=tmp_path / "home",
        contracts=stored_shop.contracts(tmp_path / "contracts"),
        dbt_project=tmp_path / "dbt",
    )
    (settings.landing / "shop" / "orders").mkdir(parents=True)
    return settings, stored_shop.build(settings.home)


def land(settings, name, size):
    """Land a file of a size, without content."""
    with (settings.landing / "shop" / "orders" / name).open("wb") as file:
        file.truncate(size)


def test_a_few_rows_are_small(home):
    """Nothing landed and three rows of bronze: each layer, and all of them."""
    settings, _ = home
    contracts = load_domain(settings.contracts, "shop")
    land(settings, "a.parquet", SMALL_BYTES - 1)
    assert is_small(settings, "shop", contracts, BATCH)


def test_a_large_file_is_not(home):
    """Only of the layer that has to read it."""
    settings, _ = home
    contracts = load_domain(settings.contracts, "shop")
    land(settings, "a.parquet", SMALL_BYTES)
    assert not is_small(settings, "shop", contracts, BATCH)
    assert is_small(settings, "shop", contracts, ("silver", "gold"))


def test_text_has_fewer_rows_a_byte(home):
    """A change log of eight times the size holds about as many rows as a Parquet file."""
    settings, _ = home
    path = settings.contracts / "shop" / "orders.yaml"
    path.write_text(
        path.read_text().replace("parquet", "debezium-json", 1).replace(".parquet", ".jsonl")
    )
    contracts = load_domain(settings.contracts, "shop")
    land(settings, "a.jsonl", SMALL_BYTES * (TEXT_FACTOR - 1))
    assert is_small(settings, "shop", contracts, ("bronze",))
    land(settings, "b.jsonl", SMALL_BYTES)
    assert not is_small(settings, "shop", contracts, ("bronze",))


def test_what_silver_has_read_does_not_count(home):
    """The bytes of bronze files with rows newer than silver's, and none of the others."""
    settings, tables = home
    contracts = load_domain(settings.contracts, "shop")
    assert pending.pending_bytes(tables, contracts["customers"]) == 0
    unread = pending.pending_bytes(tables, contracts["orders"])
    whole = bytes_added(tables, TableName.of("bronze", "shop", "orders"), -1)
    assert 0 < unread < whole


def test_a_layer_with_new_input_is_pending(home):
    """Silver has not read the second run's orders; without new files and versions nothing is to do."""
    settings, _ = home
    contracts = load_domain(settings.contracts, "shop")
    assert not is_pending(settings, "shop", contracts, "bronze")
    assert is_pending(settings, "shop", contracts, "silver")
    assert not nothing_to_do(settings, "shop", contracts, ("bronze", "silver"))
    assert nothing_to_do(settings, "shop", contracts, ("bronze",))
    land(settings, "a.parquet", 1)
    assert is_pending(settings, "shop", contracts, "bronze")
