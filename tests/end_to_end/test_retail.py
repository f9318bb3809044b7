"""The whole way of a row on a small real slice, with planted faults: gold equals the package."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal

import duckdb
import pytest

from cli.main import main
from domains.retail import source
from lakehouse.errors import ContractBreach
from lakehouse.layers import STORED
from lakehouse.runs.ledger import Ledger
from lakehouse.settings import PROJECT, Settings
from lakehouse.settings import settings as read
from lakehouse.storage.tables import TableName, Tables
from operations.fault_audit import audit
from pipeline.run import run_layers

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(1800)]

SCALE = "tiny"
GOLD_AFTER = (2, 4)
UPSTREAM = ("bronze", "silver")
REFUSED = TableName.of("silver", "retail", "transactions_quarantine")
EVENTS = TableName.of("silver", "retail", "sat_basket_line")


@pytest.fixture(scope="module")
def days(spark, tmp_path_factory):
    """A home after four days with faults, a run a day; gold is built on the second and the last.

    Returns its settings, the fault audit after each day, and the breaches that runs ended with.
    """
    home = tmp_path_factory.mktemp("retail") / "home"
    settings = Settings(
        home=home, contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project"
    )
    for database in spark.catalog.listDatabases():
        if database.name in STORED:
            spark.sql(f"drop database {database.name} cascade")
    audits, breaches = [], []
    for number, _ in enumerate(source.days(), 1):
        source.land(settings.landing / "retail", days=1, scale=SCALE, faults=7)
        try:
            run_layers(settings, "retail", UPSTREAM)
        except ContractBreach as breach:
            breaches.append(str(breach))
        audits.append(audit(settings, "retail").to_dict())
        if number in GOLD_AFTER:
            run_layers(settings, "retail", ("gold",))
    return settings, audits, breaches


@pytest.fixture
def carried(days):
    """The settings of that home."""
    return days[0]


def rows(settings, layer, table, query):
    """Return what a query over one table (`t`) gives, read without Spark."""
    with duckdb.connect() as connection:
        opened = Tables.at(settings).open(TableName.of(layer, "retail", table))
        connection.register("t", opened.scan())
        return connection.sql(query).fetchall()


def test_gold_equals_the_package(carried):
    """The real lines and their value are those of the package's own frame, whatever was planted."""
    expected = source.expected("transactions", source.days()[-1], SCALE)
    query = "select count(*), sum(sales_value) from t where origin = 'real'"
    [(count, value)] = rows(carried, "gold", "fct_basket_line", query)
    assert count == len(expected)
    assert value == Decimal(str(round(expected["sales_value"].astype(float).sum(), 2)))


def test_what_is_quarantined_is_what_was_planted(carried):
    """Every rejected line is synthetic or unreadable, and each has a reason."""
    refused = rows(
        carried, "silver", "transactions_quarantine", "select _origin, failures, row from t"
    )
    assert refused
    assert all(failures for _, failures, _ in refused)
    assert all(origin == "synthetic" or "_line" in dict(row) for origin, _, row in refused)


def test_every_gate_adds_up(carried):
    """What came in is valid, quarantined or superseded, at each gate of each run."""
    gates = [
        s
        for s in Ledger(Tables.at(carried)).steps("retail")
        if s["layer"] == "silver" and s["input"]
    ]
    assert len({step["run"] for step in gates}) == len(source.days())
    for step in gates:
        assert step["input"] == step["valid"] + step["quarantined"] + step["superseded"]


def test_products_without_a_master_point_to_the_unknown_member(carried):
    """A line of a product that the master lacks is kept and joins to the unknown member."""
    masters = {r[0] for r in rows(carried, "gold", "dim_product", "select product_id from t")}
    lines = rows(
        carried, "gold", "fct_basket_line",
        "select product_id, hex(product_hk) from t where product_hk = from_hex(repeat('00', 32))",
    )  # fmt: skip
    assert lines
    assert all(product not in masters for product, _ in lines)


def test_the_same_again_changes_no_table(carried):
    """A run without news ends at once and writes no file."""
    before = {p: p.stat().st_mtime_ns for p in carried.home.rglob("*") if p.is_file()}
    assert run_layers(carried, "retail").nothing_new
    assert {p: p.stat().st_mtime_ns for p in carried.home.rglob("*") if p.is_file()} == before


def test_the_command_line_counts_the_rows_of_gold(carried):
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
    row = json.loads(done.stdout)["rows"][0]
    assert [int(row["lines"]), Decimal(row["value"])] == [count, value]


@pytest.fixture
def lakehouse(days, monkeypatch, capfd):
    """The command line over that home, as a function that returns exit code and stdout."""
    monkeypatch.setenv("LAKEHOUSE_HOME", str(days[0].home))
    monkeypatch.setenv("COLUMNS", "250")
    read.cache_clear()

    def run(*arguments):
        capfd.readouterr()
        return main(list(arguments)), capfd.readouterr().out

    yield run
    read.cache_clear()


def test_a_run_a_day_meets_every_fault_and_rejects_no_good_row(lakehouse):
    """Recall and precision are 100 % over at least 15 kinds, and the command ends with 0."""
    code, out = lakehouse("audit", "retail", "--json")
    result = json.loads(out)
    assert (code, result["problems"]) == (0, [])
    assert len(result["kinds"]) >= 15
    assert {(k["recall"], k["precision"]) for k in result["kinds"]} == {(1.0, 1.0)}
    assert all(row["as_promised"] for row in result["rows"])


def test_the_audit_passes_on_each_day(days):
    """Before gold only orphans lack their unknown member; a fault that is due later is not missed."""
    for result in days[1]:
        missed = {k["kind"] for k in result["kinds"] if k["recall"] < 1}
        assert missed == {"orphan"}, result["problems"]
        assert result["precision"] == 1.0


def test_a_truncated_file_is_a_breach_until_it_is_sent_again(days):
    """The first day's run breaches for that file alone; the second day's loads the whole one."""
    (breach,) = days[2]
    assert "week-53.parquet is no whole Parquet file" in breach


@pytest.mark.parametrize(
    ("name", "predicate", "message"),
    [
        (REFUSED, "_sequence > '0000000000000000001'", "0 rows in quarantine"),
        (EVENTS, "_origin = 'real' and _op = 'u'", "the valid events differ"),
    ],
    ids=["quarantined rows", "good rows"],
)
def test_rows_that_are_gone_fail_the_audit(days, lakehouse, name, predicate, message):
    """Exit code 1 and a message that names what is gone."""
    table = Tables.at(days[0]).open(name)
    version = table.version()
    assert table.delete(predicate)["num_deleted_rows"] > 0
    code, out = lakehouse("audit", "retail", "--json")
    table.restore(version)
    assert code == 1
    assert message in out
