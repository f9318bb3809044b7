"""Faults on the real domain: a run a day, with what is promised kept on each of them."""

from __future__ import annotations

import pytest

from cli.main import main
from domains.retail import source
from lakehouse.errors import ContractBreach
from lakehouse.layers import STORED
from lakehouse.settings import PROJECT, Settings
from lakehouse.settings import settings as read
from lakehouse.storage.tables import TableName, Tables
from operations.fault_audit import audit
from pipeline.run import carry
from silver import small_batch

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(1800)]

UPSTREAM = ("bronze", "silver")
REFUSED = TableName.of("silver", "retail", "transactions_quarantine")
EVENTS = TableName.of("silver", "retail", "sat_basket_line")


@pytest.fixture(scope="module")
def days(spark, tmp_path_factory):
    """A home after four days with faults, a run a day and gold at the end; the audit of each day."""
    home = tmp_path_factory.mktemp("audit") / "home"
    settings = Settings(
        home=home, contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project"
    )
    for database in spark.catalog.listDatabases():
        if database.name in STORED:
            spark.sql(f"drop database {database.name} cascade")
    audits, breaches = [], []
    for _ in source.days():
        source.land(settings.landing / "retail", days=1, scale="tiny", faults=7)
        try:
            carry(settings, "retail", UPSTREAM)
        except ContractBreach as breach:
            breaches.append(str(breach))
        audits.append(audit(settings, "retail").to_dict())
    carry(settings, "retail")
    return settings, audits, breaches


def test_all_days_at_once_in_large_batches_are_as_promised(catalog, retail, monkeypatch):
    """One run over all days, each dataset by the way of large batches: the same audit, no breach."""
    monkeypatch.setattr(small_batch, "ROWS", -1)
    source.land(retail.landing / "retail", days=None, scale="tiny", faults=11)
    carry(retail, "retail", UPSTREAM)
    found = audit(retail, "retail").to_dict()
    missed = {k["kind"] for k in found["kinds"] if k["recall"] < 1}
    assert missed == {"orphan"}, found["problems"]
    assert found["precision"] == 1.0
    assert all(row["as_promised"] for row in found["rows"])


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


def test_a_run_a_day_meets_every_fault_and_hurts_no_row(days, lakehouse):
    """Recall and precision are 100 % over at least 15 kinds, and the command ends with 0."""
    code, out = lakehouse("audit", "retail")
    assert "recall 100 %, precision 100 %" in out, out
    assert code == 0
    found = audit(days[0], "retail").to_dict()
    assert len(found["kinds"]) >= 15
    assert {(k["recall"], k["precision"]) for k in found["kinds"]} == {(1.0, 1.0)}
    assert all(row["as_promised"] for row in found["rows"])


def test_the_audit_holds_on_each_day(days):
    """Before gold only orphans wait for their unknown member; what is held back is not missed."""
    for found in days[1]:
        missed = {k["kind"] for k in found["kinds"] if k["recall"] < 1}
        assert missed == {"orphan"}, found["problems"]
        assert found["precision"] == 1.0


def test_a_truncated_file_is_a_breach_until_it_is_sent_again(days):
    """The first day's run breaches for that file alone; the second day's loads the whole one."""
    (breach,) = days[2]
    assert "week-53.parquet is no whole Parquet file" in breach


@pytest.mark.parametrize(
    ("name", "predicate", "said"),
    [
        (REFUSED, "_sequence > '0000000000000000001'", "0 rows in quarantine"),
        (EVENTS, "_origin = 'real' and _op = 'u'", "the valid events differ"),
    ],
    ids=["quarantined rows", "good rows"],
)
def test_rows_that_are_gone_fail_the_audit(days, lakehouse, name, predicate, said):
    """Exit code 1 and a message; put back, all is as promised again."""
    table = Tables.at(days[0]).open(name)
    version = table.version()
    assert table.delete(predicate)["num_deleted_rows"] > 0
    code, out = lakehouse("audit", "retail", "--json")
    table.restore(version)
    assert code == 1
    assert said in out
    assert lakehouse("audit", "retail")[0] == 0
