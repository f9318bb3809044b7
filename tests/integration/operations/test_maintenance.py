"""Maintenance changes no row, is no new input to a run, and keeps time travel and rollback."""

from __future__ import annotations

import pytest

from gold import build
from lakehouse.errors import DomainLocked, UsageError
from lakehouse.runs.ledger import Ledger
from lakehouse.runs.lock import lock_domain
from lakehouse.storage import compaction as tables_upkeep
from lakehouse.storage.publications import published
from operations import maintenance, rollback
from silver import pending
from tests import stored_shop
from tests.aging import age
from tests.small_shop import BRONZE, FACT, MART, SATELLITE, Shop, rows


@pytest.fixture
def shop(catalog, tmp_path, monkeypatch):
    """A shop of which two small files are worth to be merged."""
    monkeypatch.setattr(tables_upkeep, "FEW", 2)
    return Shop(tmp_path)


def listed(found, domain="shop"):
    """Return what was found of each table of a domain."""
    one = next(each for each in found["domains"] if each["domain"] == domain)
    return {each["table"]: each for each in one["tables"]}


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
def test_nothing_is_new_after_maintenance_and_all_goes_on(shop, catalog, tmp_path):
    """Merged tables are read as before by runs and streams, and a run before it can be undone."""
    for day in (1, 2):
        shop.run(day)
    before = shop.contents()
    third = shop.run(3)
    contents, versions = shop.contents(), {n: shop.tables.version(n) for n in shop.contents()}
    assert streamed(catalog, shop, tmp_path / "stream") == shop.tables.open(BRONZE).count()

    found = maintenance.maintain(shop.settings, "shop")

    assert listed(found)[str(BRONZE)]["files_to_merge"] >= 3
    assert shop.tables.open(BRONZE).get_add_actions().num_rows == 1
    assert shop.contents() == contents
    assert shop.run().nothing_new
    assert streamed(catalog, shop, tmp_path / "stream") == 0
    assert {name: rows(shop.tables, name, versions[name]) for name in contents} == contents
    pins = published(shop.tables, "shop")
    assert pins == {name: shop.tables.version(name) for name in (FACT, MART)}
    again = maintenance.maintain(shop.settings, "shop")
    assert not any(each["files_to_merge"] for each in listed(again).values())
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
def test_files_wait_to_be_merged_until_they_are_read(shop):
    """Bronze rows that silver has not read stay in files of their own, so it knows how many come."""
    from contracts.parsing.load import load_domain
    from pipeline.run import run_layers

    shop.run(1)
    shop.land(2)
    run_layers(shop.settings, "shop", ("bronze",))

    found = listed(maintenance.maintain(shop.settings, "shop"))

    assert found[str(BRONZE)]["files_to_merge"] == 0
    assert found[str(BRONZE)]["not_merged"] == "silver has not read all of it"
    contract = load_domain(shop.settings.contracts, "shop")["orders"]
    assert pending.pending_rows(shop.tables, contract, 1).rows == 6
    shop.run()
    found = listed(maintenance.maintain(shop.settings, "shop"))
    assert found[str(BRONZE)]["files_to_merge"] >= 2
    shop.run(3)
    assert shop.run().nothing_new


@pytest.mark.spark
def test_what_is_old_goes_and_a_run_within_the_window_can_still_be_undone(shop):
    """Files and log of longer ago go; the tables before a run of today are there to return to."""
    shop.run(1)
    shop.run(2)
    before = shop.contents()
    for name in before:
        age(shop.tables.path(name), 40)
    third = shop.run(3)

    versions = {name: shop.tables.version(name) for name in before}
    dry = maintenance.maintain(shop.settings, "shop", dry_run=True)
    assert {name: shop.tables.version(name) for name in before} == versions
    found = maintenance.maintain(shop.settings, "shop")

    assert listed(found) == listed(dry)
    assert listed(found)[str(FACT)]["files_to_remove"] >= 1
    assert listed(found)[str(BRONZE)]["log_files_to_remove"] >= 1
    rollback.roll_back(shop.settings, third.run)
    assert shop.contents() == before
    shop.run()
    assert shop.run().nothing_new


def test_less_than_what_is_promised_is_refused(empty):
    """Versions are kept for the days of the setting, or for more."""
    from lakehouse.settings import Settings

    settings = Settings(home=empty, retention_days=30)
    stored_shop.build(empty)
    with pytest.raises(UsageError, match="29 days are fewer than the 30"):
        maintenance.maintain(settings, "shop", keep_days=29)
    assert maintenance.maintain(settings, "shop", keep_days=31, dry_run=True)["keeps_days"] == 31


def test_a_domain_at_work_is_left_alone(empty):
    """One that was asked for is an error; among all of them it is passed over, and told."""
    from lakehouse.settings import Settings

    settings = Settings(home=empty)
    tables = stored_shop.build(empty)
    with lock_domain(empty, "shop", "run"):
        with pytest.raises(DomainLocked):
            maintenance.maintain(settings, "shop")
        found = maintenance.maintain(settings)
    shop, ops = found["domains"]
    assert "being worked on" in shop["busy"]
    assert shop["tables"] == []
    assert {each["table"] for each in ops["tables"]} == {"ops.run_steps", "ops.runs"}
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
