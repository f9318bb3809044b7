"""The verb `rollback`: it shows what it would do, asks, and needs no JVM."""

from __future__ import annotations

from pathlib import Path

import pytest

from bronze.discovery import Entry, FileLog
from lakehouse.storage.tables import TableName, Tables

ORDERS = TableName("bronze", "shop__orders")


@pytest.fixture
def tables(home):
    """The tables of a home with two runs of the shop, the second of which loaded three rows."""
    stored = Tables(str(home / "warehouse"))
    FileLog(stored, "shop").write(
        [Entry("shop", "orders", 2, "orders/gone.parquet", 5, 1, "abc", "planned")]
    )
    return stored


def test_the_plan_is_shown_and_nothing_done(lakehouse, tables):
    """`--dry-run` lists runs, tables with versions and rows, and files that cannot come again."""
    before = {name: tables.version(name) for name in tables.names()}

    plan = lakehouse("rollback", "2", "--dry-run", "--json").json

    assert [run["run"] for run in plan["runs"]] == [2]
    assert plan["tables"] == [
        {"table": str(ORDERS), "version": 1, "target": 0, "rows": 15, "rows_after": 12}
    ]
    assert plan["files_missing"] == ["orders/gone.parquet"]
    page = lakehouse("rollback", "2", "--dry-run").out
    assert "bronze.shop__orders" in page
    assert "no longer landed, so they cannot be loaded again: orders/gone.parquet" in page
    assert {name: tables.version(name) for name in tables.names()} == before


def test_without_anybody_to_ask_it_needs_a_yes(lakehouse, tables):
    """Where no terminal is, nothing is rolled back without `--yes`."""
    for arguments in (["rollback", "2"], ["rollback", "2", "--json"]):
        ended = lakehouse(*arguments)
        assert ended.code == 2
        assert "--yes goes on, --dry-run only shows the plan" in ended.err
    assert tables.version(ORDERS) == 1

    done = lakehouse("rollback", "2", "--yes", "--json").json

    assert done["rollback"] == 3
    assert tables.open(ORDERS).count() == 12
    assert tables.open(ORDERS).transaction_version("capture") == 1
    assert lakehouse("status", "shop").out.count("restored: to version 0") == 1
    again = lakehouse("rollback", "2", "--yes")
    assert (again.code, again.err) == (2, "lakehouse: run 2 was rolled back already, by run 3\n")


def test_runs_of_other_times_are_refused(lakehouse, home):
    """A number that no run has is wrong usage, and the last ones are named."""
    ended = lakehouse("rollback", "9", "--dry-run")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "lakehouse: no run 9; the last ones are: 1, 2\n"


def test_a_version_whose_files_are_gone_is_refused_before_anything_is_restored(lakehouse, tables):
    """Nothing half rolled back: the table, the version and a file are named, and all stays."""
    first = next(iter(tables.open(ORDERS, 0).file_uris()))
    Path(first).unlink()
    ended = lakehouse("rollback", "2", "--yes")
    assert ended.code == 1
    assert "bronze.shop__orders: 1 of 1 files of version 0 are not there any more" in ended.err
    assert tables.version(ORDERS) == 1
