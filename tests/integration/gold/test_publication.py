"""Write, then publish: readers see all of a build or nothing, and nothing is built twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gold import publish
from gold.dbt.project import Project
from lakehouse.errors import LakehouseError
from lakehouse.storage.catalog import register
from tests.integration.gold.toy import ITEM, SATELLITE, SHELF, stored

pytestmark = pytest.mark.spark


def test_a_build_publishes_and_then_has_nothing_to_do(home):
    """What silver holds is published once; the same again writes nothing, without being pending."""
    assert not home.pending()
    home.load(1, (1, "left", 5, "r", 1), (2, "left", 5, "r", 2), (3, "right", 7, "r", 3))
    assert home.pending()

    steps = home.build()

    assert {step.table: step.written for step in steps} == {str(ITEM): 3, str(SHELF): 2}
    assert stored(home.tables, SHELF) == {("left", 5, 2), ("right", 7, 1)}
    assert publish.published(home.tables, "toy") == home.versions()
    assert not home.pending()
    before, publications = home.versions(), home.tables.version(publish.PUBLICATIONS)
    assert home.build() == []
    assert home.versions() == before
    assert home.tables.version(publish.PUBLICATIONS) == publications


def test_a_build_leaves_the_session_in_ansi_mode(home, catalog):
    """dbt-spark would leave it for all that follows: silent nulls, and other hashes than before."""
    home.load(1, (1, "left", 5, "r", 1))
    home.build()
    assert catalog.conf.get("spark.sql.ansi.enabled") == "true"


def test_touched_keys_are_derived_again_whatever_the_order(home):
    """Late, repeated and deleting events leave what a build of everything leaves."""
    home.load(1, (1, "left", 5, "r", 10), (2, "left", 6, "r", 20), (3, "right", 7, "r", 30))
    home.build()
    home.load(
        2,
        (1, "left", 4, "u", 5),  # late: what came after it stays in force
        (2, None, None, "d", 40),  # a delete that carries its key only
        (3, "left", 7, "u", 50),  # the right shelf is empty now
        (3, "left", 7, "u", 50),
    )

    home.build()

    assert stored(home.tables, ITEM) == {(1, "left", 5), (3, "left", 7)}
    incremental = {name: stored(home.tables, name) for name in (ITEM, SHELF)}
    assert incremental[SHELF] == {("left", 5, 1), ("left", 7, 1)}
    home.build(full_refresh=True)
    assert {name: stored(home.tables, name) for name in (ITEM, SHELF)} == incremental


def test_what_changed_nothing_is_not_derived_again(home):
    """A batch that left a table as it was counts as read: the next build looks at later ones only."""
    home.load(1, (1, "left", 5, "r", 1), (2, "left", 6, "r", 2))
    home.build()
    home.load(2, (1, "left", 5, "u", 3))
    home.build()
    home.load(3, (2, "left", 7, "u", 4))
    home.build()

    [compiled] = (home.settings.home / "dbt" / "target" / "compiled").rglob("toy__fct_item.sql")
    assert "_batch > 2" in compiled.read_text()
    assert stored(home.tables, ITEM) == {(1, "left", 5), (2, "left", 7)}


def test_a_crash_before_publication_heals(home):
    """Models that were built but not published are published by the next run, nothing doubled."""
    home.load(1, (1, "left", 5, "r", 1))
    home.build()
    home.load(2, (2, "left", 6, "c", 2))
    register(home.spark, home.settings, [SATELLITE, ITEM, SHELF])
    Project(home.settings, "toy").build(
        full_refresh=False, since=1, changed=[SATELLITE], missing=[]
    )
    built = home.versions()
    assert built != publish.published(home.tables, "toy")
    assert home.pending()

    home.build()

    assert publish.published(home.tables, "toy") == home.versions() == built
    assert stored(home.tables, SHELF) == {("left", 5, 1), ("left", 6, 1)}


def test_columns_that_differ_from_the_promise_stop_the_model(home):
    """A model's YAML is a contract: another type is an error that says which column."""
    path = home.settings.dbt_project / "models" / "toy" / "_toy.yml"
    path.write_text(
        path.read_text().replace(
            "{name: items, data_type: bigint}", "{name: items, data_type: int}"
        )
    )
    home.load(1, (1, "left", 5, "r", 1))

    with pytest.raises(LakehouseError, match="items is bigint, promised is int"):
        home.build()


def test_changed_sql_builds_everything_anew(home):
    """New SQL says something else of old rows, too."""
    home.load(1, (1, "left", 5, "r", 1))
    home.build()
    path = home.settings.dbt_project / "models" / "toy" / "toy__fct_item.sql"
    path.write_text(
        path.read_text().replace("max_by(price, _sequence)", "max_by(price, _sequence) * 2")
    )
    assert home.pending()

    home.build()

    assert stored(home.tables, ITEM) == {(1, "left", 10)}


def test_models_without_their_source_wait_for_it(home):
    """A dataset that never arrived leaves out what needs it, and nothing else."""
    assert not home.pending()
    assert home.build() == []


def test_a_clock_that_goes_back_hides_no_publication(home, monkeypatch):
    """The newest publication counts, though the clock says that it was made earlier."""
    home.load(1, (1, "left", 5, "r", 1))
    home.build()
    earlier = datetime.now(UTC) - timedelta(days=1)

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return earlier

    monkeypatch.setattr("gold.publish.datetime", Clock)
    home.load(2, (2, "left", 6, "c", 2))
    home.build()

    assert publish.published(home.tables, "toy") == home.versions()
    assert not home.pending()


def test_what_reads_a_stopped_table_waits_and_loses_nothing(home):
    """While a table of silver is held nothing is built from it; then all that came is."""
    home.load(1, (1, "left", 5, "r", 1))
    home.build()
    before = home.versions()
    home.load(2, (2, "left", 6, "c", 2))
    assert home.build(held=[SATELLITE]) == []
    assert home.versions() == before
    assert home.pending()
    home.build()
    assert stored(home.tables, ITEM) == {(1, "left", 5), (2, "left", 6)}
