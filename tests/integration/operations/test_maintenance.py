"""Maintenance changes no row, is no new input to a run, and keeps time travel and rollback."""

from __future__ import annotations

import pytest

from gold import build
from lakehouse.errors import DomainLocked, UsageError
from lakehouse.runs.ledger import Ledger
from lakehouse.runs.lock import lock_domain
from lakehouse.storage import compaction
from lakehouse.storage.publications import published
from operations import maintenance, rollback
from silver import pending
from tests import stored_shop
from tests.aging import age
from tests.small_shop import BRONZE, FACT, MART, SATELLITE, rows


@pytest.fixture
def two_files_are_many(monkeypatch):
    """Two small files of a table are merged already."""
    monkeypatch.setattr(compaction, "FEW", 2)


def tables_of(result, domain="shop"):
    """Return the maintenance of each table of a domain."""
    (plan,) = [plan for plan in result["domains"] if plan["domain"] == domain]
    return {row["table"]: row for row in plan["tables"]}


def streamed(spark, shop, folder):
    """Return how many rows of bronze a stream has not seen before, as platinum reads it."""
    counts = []
    stream = spark.readStream.format("delta").option("skipChangeCommits", "true")
    query = (
        stream.load(shop.tables.path(BRONZE))
        .writeStream.foreachBatch(lambda batch, _: counts.append(batch.count()))
        .option("checkpointLocation", str(folder))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return sum(counts)


@pytest.mark.spark
@pytest.mark.usefixtures("two_files_are_many")
def test_nothing_is_new_after_maintenance_and_all_goes_on(shop_after, catalog, tmp_path):
    """Merged tables are read as before by runs and streams, and a run before it can be rolled back."""
    shop = shop_after(2)
    before = shop.contents()
    third = shop.run(3)
    contents, versions = shop.contents(), {n: shop.tables.version(n) for n in shop.contents()}
    assert streamed(catalog, shop, tmp_path / "stream") == shop.tables.open(BRONZE).count()

    result = maintenance.maintain(shop.settings, "shop")

    assert tables_of(result)[str(BRONZE)]["files_to_merge"] >= 3
    assert shop.tables.open(BRONZE).get_add_actions().num_rows == 1
    assert shop.contents() == contents
    assert shop.run().nothing_new
    assert streamed(catalog, shop, tmp_path / "stream") == 0
    assert {name: rows(shop.tables, name, versions[name]) for name in contents} == contents
    pins = published(shop.tables, "shop")
    assert pins == {name: shop.tables.version(name) for name in (FACT, MART)}
    again = maintenance.maintain(shop.settings, "shop")
    assert [row for row in tables_of(again).values() if row["files_to_merge"]] == []
    assert shop.run().nothing_new

    rollback.roll_back(shop.settings, third.run)
    assert shop.contents() == before
    maintenance.maintain(shop.settings, "shop")
    assert shop.contents() == before
    shop.run()
    assert shop.contents() == contents
    shop.land(4)
    carried = shop.run()
    assert {s.table: s.input for s in carried.steps}[str(SATELLITE)] == 6
    incremental = {name: rows(shop.tables, name) for name in (FACT, MART)}
    with Ledger(shop.tables).run("shop") as run:
        build.build(catalog, shop.settings, "shop", run, full_refresh=True)
    assert {name: rows(shop.tables, name) for name in (FACT, MART)} == incremental


@pytest.mark.spark
@pytest.mark.usefixtures("two_files_are_many")
def test_files_are_merged_only_after_they_are_read(shop_after):
    """Bronze rows that silver has not read stay in files of their own, so it knows how many come."""
    from contracts.parsing.load import load_domain
    from pipeline.run import run_layers

    shop = shop_after(1)
    shop.land(2)
    run_layers(shop.settings, "shop", ("bronze",))

    rows_by_table = tables_of(maintenance.maintain(shop.settings, "shop"))

    assert rows_by_table[str(BRONZE)]["files_to_merge"] == 0
    assert rows_by_table[str(BRONZE)]["not_merged"] == "silver has not read all of it"
    contract = load_domain(shop.settings.contracts, "shop")["orders"]
    assert pending.pending_rows(shop.tables, contract, 1).rows == 6
    shop.run()
    rows_by_table = tables_of(maintenance.maintain(shop.settings, "shop"))
    assert rows_by_table[str(BRONZE)]["files_to_merge"] >= 2
    shop.run(3)
    assert shop.run().nothing_new


@pytest.mark.spark
@pytest.mark.usefixtures("two_files_are_many")
def test_old_files_go_and_a_run_within_the_retention_can_be_rolled_back(shop_after):
    """Files and log of longer ago go; the tables before a run of today can be restored."""
    shop = shop_after(2)
    before = shop.contents()
    for name in before:
        age(shop.tables.path(name), 40)
    third = shop.run(3)

    versions = {name: shop.tables.version(name) for name in before}
    dry = maintenance.maintain(shop.settings, "shop", dry_run=True)
    assert {name: shop.tables.version(name) for name in before} == versions
    result = maintenance.maintain(shop.settings, "shop")

    assert tables_of(result) == tables_of(dry)
    assert tables_of(result)[str(FACT)]["files_to_remove"] >= 1
    assert tables_of(result)[str(BRONZE)]["log_files_to_remove"] >= 1
    rollback.roll_back(shop.settings, third.run)
    assert shop.contents() == before
    shop.run()
    assert shop.run().nothing_new


def test_fewer_days_than_the_retention_are_refused(empty):
    """Versions are kept for the days of the setting, or for more."""
    from lakehouse.settings import Settings

    settings = Settings(home=empty, retention_days=30)
    stored_shop.build(empty)
    with pytest.raises(UsageError, match="29 days are fewer than the 30"):
        maintenance.maintain(settings, "shop", keep_days=29)
    assert maintenance.maintain(settings, "shop", keep_days=31, dry_run=True)["keeps_days"] == 31


def test_a_locked_domain_is_skipped(empty):
    """A named one is an error; among all of them it is skipped, and reported as busy."""
    from lakehouse.settings import Settings

    settings = Settings(home=empty)
    tables = stored_shop.build(empty)
    with lock_domain(empty, "shop", "run"):
        with pytest.raises(DomainLocked):
            maintenance.maintain(settings, "shop")
        result = maintenance.maintain(settings)
    shop, ops = result["domains"]
    assert "being worked on" in shop["busy"]
    assert shop["tables"] == []
    assert {row["table"] for row in ops["tables"]} == {"ops.run_steps", "ops.runs"}
    assert [row["run"] for row in Ledger(tables).runs("shop")] == [1, 2]


def test_the_verb_shows_what_it_would_do(lakehouse, home):
    """`--dry-run` writes nothing; without it the tables are listed that were worked on."""
    from lakehouse.storage.tables import Tables

    tables = Tables(str(home / "warehouse"))
    before = {name: tables.version(name) for name in tables.names()}
    ended = lakehouse("maintain", "shop", "--dry-run")
    assert ended.code == 0
    assert "would be merged" in ended.out
    assert "every version of the last 30 days can be read and rolled back to" in ended.out
    assert {name: tables.version(name) for name in before} == before
    assert lakehouse("maintain", "shop", "--json").json["domains"][0]["domain"] == "shop"
    assert lakehouse("maintain", "shop", "--keep-days", "3").code == 2
