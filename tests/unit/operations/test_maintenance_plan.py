"""What maintenance would do to a domain's tables, planned from Delta logs without a JVM."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lakehouse.settings import Settings
from lakehouse.storage import compaction
from lakehouse.storage.tables import TableName, Tables
from operations.maintenance_plan import plan
from tests import stored_shop

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings of a home with two runs of the shop, in which two small files are merged already."""
    monkeypatch.setattr(compaction, "FEW", 2)
    settings = Settings(
        home=tmp_path / "home",
        contracts=stored_shop.contracts(tmp_path / "contracts"),
        dbt_project=tmp_path / "dbt",
    )
    stored_shop.build(settings.home)
    return settings


def planned(settings, days=30):
    """Return the plan of the shop."""
    tables = Tables.at(settings)
    return plan(settings, tables, "shop", list(tables.names("shop")), days, NOW, lambda *_: None)


def test_files_that_silver_has_not_read_are_not_merged(settings):
    """Merged with older ones silver would read them all; a table of one file has nothing to merge."""
    rows = {row["table"]: row for row in planned(settings).to_dict()["tables"]}
    assert rows["bronze.shop__orders"]["not_merged"] == "silver has not read all of it"
    assert rows["bronze.shop__orders"]["files_to_merge"] == 0
    assert rows["bronze.shop__customers"]["not_merged"] == ""


def test_files_that_every_reader_has_read_are_merged(settings):
    """The two files of orders, once silver has read both batches."""
    events = pa.table({"_sequence": ["9999"], "_batch": [2]})
    orders = TableName.of("bronze", "shop", "orders")
    silver = TableName.of("silver", "shop", "sat_order")
    Tables.at(settings).append(silver, events, idempotency_key=(str(orders), 2))
    rows = {row["table"]: row for row in planned(settings).to_dict()["tables"]}
    assert rows["bronze.shop__orders"]["files_to_merge"] == 2
    assert rows["bronze.shop__orders"]["bytes_to_merge"] > 0
    assert rows["bronze.shop__customers"]["files_to_merge"] == 0


def test_a_table_without_the_retention_is_due(settings):
    """The engine's own tables are made without the property: every one is due once."""
    maintenance = planned(settings)
    assert [survey.table for survey, _ in maintenance.due] == [
        survey.table for survey, _ in maintenance.surveys
    ]


def test_checkpoints_that_no_contract_has_are_removed_when_they_are_old(settings):
    """A young one may be that of a stream whose contract is being changed."""
    folder = settings.home / "checkpoints" / "shop"
    for name, days in (("old", 40), ("young", 1)):
        (folder / name).mkdir(parents=True)
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder / name, (at, at))
    assert planned(settings).checkpoints == [folder / "old"]
    assert planned(settings, days=50).checkpoints == []


def test_without_contracts_checkpoints_stay(settings):
    """Where a domain's contracts are gone nobody knows which streams are in use."""
    folder = settings.home / "checkpoints" / "shop" / "old"
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    for path in (settings.contracts / "shop").iterdir():
        path.unlink()
    (settings.contracts / "shop").rmdir()
    assert planned(settings).checkpoints == []
