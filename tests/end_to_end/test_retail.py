"""The whole way of a row on a small real slice: what gold says equals what the package holds."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal

import duckdb
import pytest

from domains.retail import source
from lakehouse.layers import STORED
from lakehouse.runs.ledger import Ledger
from lakehouse.settings import PROJECT, Settings
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import carry

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SCALE = "tiny"
DAYS = 2


@pytest.fixture(scope="module")
def carried(spark, tmp_path_factory):
    """A home with the history and two days of changes, each carried through all layers."""
    home = tmp_path_factory.mktemp("whole") / "home"
    settings = Settings(
        home=home, contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project"
    )
    for database in spark.catalog.listDatabases():
        if database.name in STORED:
            spark.sql(f"drop database {database.name} cascade")
    for day in range(DAYS + 1):
        source.land(settings.landing / "retail", days=min(day, 1), scale=SCALE)
        carry(settings, "retail")
    return settings


def rows(settings, layer, table, query):
    """Return what a query over one table (`t`) gives, read without Spark."""
    with duckdb.connect() as connection:
        opened = Tables.at(settings).open(TableName.of(layer, "retail", table))
        connection.register("t", opened.scan())
        return connection.sql(query).fetchall()


def test_gold_equals_the_package(carried):
    """Lines and their value are those of the package's own frame up to the last landed day."""
    expected = source.expected("transactions", source.days()[DAYS - 1], SCALE)
    [(count, value)] = rows(
        carried, "gold", "fct_basket_line", "select count(*), sum(sales_value) from t"
    )
    assert count == len(expected)
    assert value == Decimal(str(round(expected["sales_value"].astype(float).sum(), 2)))


def test_what_is_quarantined_is_what_was_planted(carried):
    """Every rejected line is synthetic or unreadable, and each has a reason."""
    found = rows(
        carried, "silver", "transactions_quarantine", "select _origin, failures, row from t"
    )
    assert found
    assert all(failures for _, failures, _ in found)
    assert all(origin == "synthetic" or "_line" in dict(row) for origin, _, row in found)


def test_every_gate_adds_up(carried):
    """What came in is valid, quarantined or superseded, at each gate of each run."""
    gates = [
        s
        for s in Ledger(Tables.at(carried)).steps("retail")
        if s["layer"] == "silver" and s["input"]
    ]
    assert {step["run"] for step in gates} == {1, 2, 3}
    for step in gates:
        assert step["input"] == step["valid"] + step["quarantined"] + step["superseded"]


def test_products_without_a_master_point_to_the_unknown_member(carried):
    """A line of a product that the master lacks is kept and joins to the unknown member."""
    known = {r[0] for r in rows(carried, "gold", "dim_product", "select product_id from t")}
    lines = rows(
        carried, "gold", "fct_basket_line",
        "select product_id, hex(product_hk) from t where product_hk = from_hex(repeat('00', 32))",
    )  # fmt: skip
    assert lines
    assert all(product not in known for product, _ in lines)


def test_the_same_again_changes_no_table(carried):
    """A run without news ends at once and writes no file."""
    before = {p: p.stat().st_mtime_ns for p in carried.home.rglob("*") if p.is_file()}
    assert carry(carried, "retail").nothing_new
    assert {p: p.stat().st_mtime_ns for p in carried.home.rglob("*") if p.is_file()} == before


def test_the_command_line_counts_what_gold_holds(carried):
    """`lakehouse sql` answers from the published version, in a process of its own."""
    query = "select count(*) as lines, sum(sales_value) as value from gold.retail__fct_basket_line"
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "sql", query, "--json"],
        env={"PATH": "/usr/bin:/bin", "LAKEHOUSE_HOME": str(carried.home), "LAKEHOUSE_DRIVER_MEMORY": "1g"},
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    [(count, value)] = rows(
        carried, "gold", "fct_basket_line", "select count(*), sum(sales_value) from t"
    )
    answer = json.loads(done.stdout)["rows"][0]
    assert [int(answer["lines"]), Decimal(answer["value"])] == [count, value]
