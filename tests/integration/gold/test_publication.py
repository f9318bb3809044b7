"""Write, then publish: readers see all of a build or nothing, and nothing is built twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gold import publish
from gold.dbt.invocation import BuildState
from gold.dbt.project import Project
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


def test_a_build_leaves_the_session_in_ansi_mode(loaded, catalog):
    """dbt-spark would leave it for all that follows: silent nulls, and other hashes than before."""
    loaded.load(2, (2, "left", 5, "c", 2))
    loaded.build()
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


def test_what_changed_nothing_is_not_derived_again(loaded):
    """A batch that left a table as it was counts as read: the next build reads later ones only."""
    loaded.load(2, (1, "left", 5, "u", 3))
    loaded.build()
    loaded.load(3, (2, "left", 7, "c", 4))
    loaded.build()

    [compiled] = (loaded.settings.home / "dbt" / "target" / "compiled").rglob("toy__fct_item.sql")
    assert "_batch > 2" in compiled.read_text()
    assert stored(loaded.tables, ITEM) == {(1, "left", 5), (2, "left", 7)}


def test_what_was_written_without_a_publication_is_written_again(loaded):
    """A killed run, or a draft of dbt's own by other SQL, leaves nothing behind: tables start as published."""
    sql = (loaded.models / "toy__fct_item.sql").read_text()
    loaded.load(2, (2, "left", 6, "c", 2))
    loaded.edit("toy__fct_item.sql", "max_by(price, _sequence)", "94 + max_by(price, _sequence)")
    register(loaded.spark, loaded.settings, [SATELLITE, ITEM, SHELF])
    Project(loaded.settings, "toy").build(
        ["toy__fct_item", "toy__mart_shelf"], state=BuildState(since=1)
    )
    assert (2, "left", 100) in stored(loaded.tables, ITEM)
    (loaded.models / "toy__fct_item.sql").write_text(sql)
    assert loaded.pending()

    loaded.build()

    assert publish.published(loaded.tables, "toy") == loaded.versions()
    assert stored(loaded.tables, ITEM) == {(1, "left", 5), (2, "left", 6)}
    assert stored(loaded.tables, SHELF) == {("left", 5, 1), ("left", 6, 1)}


def test_models_without_their_source_wait_for_it(home):
    """A dataset that never arrived leaves out what needs it, and nothing else."""
    assert not home.pending()
    assert home.build() == []


def test_a_clock_that_goes_back_hides_no_publication(loaded, monkeypatch):
    """The newest publication counts, though the clock says that it was made earlier."""
    earlier = datetime.now(UTC) - timedelta(days=1)

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return earlier

    monkeypatch.setattr("gold.publish.datetime", Clock)
    loaded.load(2, (2, "left", 6, "c", 2))
    loaded.build()

    assert publish.published(loaded.tables, "toy") == loaded.versions()
    assert not loaded.pending()


def test_what_reads_a_blocked_table_waits_and_loses_nothing(loaded):
    """While a table of silver is blocked nothing is built from it; then all that came is."""
    before = loaded.versions()
    loaded.load(2, (2, "left", 6, "c", 2))
    assert loaded.build(blocked=[SATELLITE]) == []
    assert loaded.versions() == before
    assert loaded.pending()
    loaded.build()
    assert stored(loaded.tables, ITEM) == {(1, "left", 5), (2, "left", 6)}
