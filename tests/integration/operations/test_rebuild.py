"""A slice is rebuilt from the layer before it, with all that depends on it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from gold import build
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runs.ledger import Ledger
from operations import rebuild, rollback
from tests.small_shop import FACT, MART, SATELLITE, rows

pytestmark = pytest.mark.spark

SLICE = "order_id in (10, 11, 20, 999)"


@pytest.fixture
def shop(shop_after):
    """A shop after two days."""
    return shop_after(2)


def tamper(shop, catalog):
    """Change, remove and invent events behind the engine's back, and let gold follow them."""
    path = shop.tables.path(SATELLITE)
    DeltaTable(path).update(updates={"customer_id": "77"}, predicate="order_id = 20")
    DeltaTable(path).delete("order_id = 10")
    invented = DeltaTable(path).to_pyarrow_table().slice(0, 1)
    at = invented.column_names.index("order_id")
    invented = invented.set_column(at, "order_id", pa.array([999], pa.int64()))
    hk = invented.column_names.index("placed_hk")
    invented = invented.set_column(hk, "placed_hk", pa.array([b"x" * 32], pa.binary()))
    write_deltalake(path, invented, mode="append")
    with Ledger(shop.tables).run("shop") as run:
        build.build(catalog, shop.settings, "shop", run, full_refresh=True)


def test_a_tampered_slice_is_rebuilt(shop, catalog):
    """Events, facts and marts are as bronze gives them; what is right is left, and a run follows."""
    clean = shop.contents()
    tamper(shop, catalog)
    tampered = shop.contents()
    assert all(tampered[name] != clean[name] for name in (SATELLITE, FACT, MART))

    chosen = rebuild.plan(shop.settings, str(SATELLITE), SLICE).to_dict()
    assert (chosen["added"], chosen["changed"], chosen["removed"]) == (2, 1, 1)
    assert chosen["dependants"] == [str(FACT), str(MART)]
    assert "as a whole" in chosen["dependants_how"]
    assert shop.contents() == tampered
    done = rebuild.rebuild(shop.settings, str(SATELLITE), SLICE)

    assert shop.contents() == clean
    assert shop.run().nothing_new
    rollback.roll_back(shop.settings, done["run"])
    assert shop.contents() == tampered
    rebuild.rebuild(shop.settings, str(SATELLITE))
    assert shop.contents() == clean
    shop.run(3)
    incremental = {name: rows(shop.tables, name) for name in (FACT, MART)}
    rebuild.rebuild(shop.settings, str(FACT))
    assert {name: rows(shop.tables, name) for name in (FACT, MART)} == incremental


def test_gold_alone_is_rebuilt(shop):
    """Where silver is right the slice's keys are new to gold; a table of gold is built as a whole."""
    clean = shop.contents()
    fact, mart = (DeltaTable(shop.tables.path(name)) for name in (FACT, MART))
    fact.update(updates={"amount": "99.00"}, predicate="order_id = 20")
    mart.update(updates={"orders": "7"}, predicate="customer_id = 2")

    chosen = rebuild.plan(shop.settings, str(SATELLITE), "order_id = 20").to_dict()
    assert (chosen["added"], chosen["changed"], chosen["removed"]) == (0, 0, 0)
    assert chosen["dependants_how"] == "the keys of the slice are rebuilt"
    rebuild.rebuild(shop.settings, str(SATELLITE), "order_id = 20")
    assert shop.contents() == clean

    DeltaTable(shop.tables.path(MART)).delete("customer_id = 1")
    chosen = rebuild.plan(shop.settings, str(MART)).to_dict()
    assert (chosen["mode"], chosen["dependants"]) == ("full", [str(MART)])
    rebuild.rebuild(shop.settings, str(MART))
    assert shop.contents() == clean
    assert shop.run().nothing_new


def test_killed_before_gold_the_next_run_heals_it(shop, catalog, monkeypatch):
    """Gold learns of rows that silver no longer holds, though the rebuild died in between."""
    clean = shop.contents()
    tamper(shop, catalog)
    with monkeypatch.context() as patch:
        patch.setattr(build, "build", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rebuild.rebuild(shop.settings, str(SATELLITE), SLICE)
    assert rows(shop.tables, SATELLITE) == clean[SATELLITE]
    with pytest.raises(LakehouseError, match="`lakehouse run shop` first"):
        rebuild.plan(shop.settings, str(SATELLITE), SLICE)

    shop.run()

    assert shop.contents() == clean


def test_a_table_that_is_not_derived_is_refused(shop):
    """A table that is not derived, one that is not there, a condition that is none."""
    for name, message in (
        ("silver.shop__hub_order", "is not rebuilt"),
        ("silver.shop__nothing", "no table"),
    ):
        with pytest.raises(UsageError, match=message):
            rebuild.plan(shop.settings, name)
    with pytest.raises(UsageError, match="no condition on"):
        rebuild.plan(shop.settings, str(SATELLITE), "nowhere = 1")
