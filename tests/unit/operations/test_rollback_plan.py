"""What a rollback would do, planned from the ledger and Delta logs without a JVM."""

from __future__ import annotations

import pytest

from lakehouse.errors import UsageError
from lakehouse.runs.ledger import Ledger
from lakehouse.settings import Settings
from operations.rollback_plan import plan
from tests import stored_shop

BRONZE, SILVER, GOLD = "bronze", "silver", "gold"


@pytest.fixture
def settings(tmp_path):
    """Settings of a home with two runs of the shop; the second loaded orders into bronze."""
    settings = Settings(
        home=tmp_path / "home",
        contracts=stored_shop.contracts(tmp_path / "contracts"),
        dbt_project=tmp_path / "dbt",
    )
    stored_shop.build(settings.home)
    return settings


def ledger(settings):
    """The ledger of that home."""
    return Ledger(stored_shop.Tables.at(settings))


def test_a_run_takes_the_later_ones_with_it(settings):
    """What a later run read of it has to go, too: all tables are emptied, both runs listed."""
    rollback = plan(settings, 1)
    assert [run["run"] for run in rollback.runs] == [1, 2]
    assert {table.target for table in rollback.tables_back} == {-1}
    assert {row["rows_after"] for row in rollback.to_dict()["tables"]} == {0}


def test_tables_are_restored_against_the_flow(settings):
    """Gold, silver, bronze; in silver the tables with a bookmark of bronze before the others."""
    names = list(plan(settings, 1).targets)
    layers = [name.layer for name in names]
    assert layers == sorted(layers, key=[GOLD, SILVER, BRONZE].index)
    silver = [name.table for name in names if name.layer == SILVER]
    assert [name.startswith("shop__sat_") for name in silver] == [True, True, False, False]


def test_a_run_of_bronze_alone_restores_what_it_changed(settings):
    """Tables that are as they were before are not among those that change."""
    (table,) = plan(settings, 2).tables_back
    assert (str(table.table), table.version, table.target) == ("bronze.shop__orders", 1, 0)
    assert (table.rows, table.rows_after) == (15, 12)


def test_a_run_of_platinum_leaves_batch_tables(settings):
    """Nothing but scores reads what such a run wrote."""
    with ledger(settings).run("shop", "score", ("platinum",)):
        pass
    rollback = plan(settings, 3)
    assert [run["command"] for run in rollback.runs] == ["score"]
    assert rollback.targets == {}
    assert [run["run"] for run in plan(settings, 2).runs] == [2, 3]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("rollback", "repeats the runs that it rolled back"),
        ("maintain", "it changed no row"),
        ("enrich", "its inferences were paid for"),
    ],
)
def test_a_command_whose_runs_stay_is_refused(settings, command, reason):
    """The reason is in the message; such runs are not rolled back with an earlier one either."""
    with ledger(settings).run("shop", command, ()):
        pass
    with pytest.raises(UsageError, match=rf"run 3 \({command}\) is not rolled back: .*{reason}"):
        plan(settings, 3)
    assert [run["run"] for run in plan(settings, 1).runs] == [1, 2]


def test_a_run_that_is_unknown_or_rolled_back_is_refused(settings):
    """The last runs are named; one that was rolled back names the rollback."""
    with pytest.raises(UsageError, match="no run 7; the last ones are: 1, 2"):
        plan(settings, 7)
    runs = ledger(settings)
    with runs.run("shop", "rollback") as rollback:
        runs.mark_rolled_back(
            [row for row in runs.runs("shop") if row["run"] == 2], rollback.number
        )
    with pytest.raises(UsageError, match="run 2 was rolled back already, by run 3"):
        plan(settings, 2)
    assert [run["run"] for run in plan(settings, 1).runs] == [1]
