"""Write, audit, publish: readers see what passed, all of it or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gold import build, publish
from gold.dbt import Project
from lakehouse.catalog import register
from lakehouse.errors import ContractBreach, LakehouseError
from lakehouse.ledger import Ledger
from lakehouse.tables import Tables
from tests.gold.toy import ITEM, SATELLITE, SHELF, load, settings_of, stored

pytestmark = pytest.mark.spark


class Home:
    """A home with the toy domain, whose every build is a run of its own."""

    def __init__(self, spark, folder):
        self.spark, self.settings = spark, settings_of(folder)
        self.tables = Tables.at(self.settings)

    def load(self, batch, *events):
        """Append events to the satellite."""
        load(self.tables, batch, *events)

    def build(self, **options):
        """Build gold in a run of its own."""
        with Ledger(self.tables).run("toy") as run:
            return build.build(self.spark, self.settings, "toy", run, **options)

    def versions(self):
        """The version of each table."""
        return {name: self.tables.version(name) for name in (ITEM, SHELF)}

    def pending(self):
        """Whether a build is due."""
        return build.pending(self.settings, "toy")


@pytest.fixture
def home(catalog, tmp_path):
    return Home(catalog, tmp_path)


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


def test_a_failing_audit_puts_every_table_back(home):
    """The error names audit, table, rule and rows; readers and tables stay at the last good one."""
    home.load(1, (1, "left", 5, "r", 1))
    home.build()
    published = publish.published(home.tables, "toy")
    good = {name: stored(home.tables, name) for name in published}
    home.load(2, (2, "left", -1, "c", 2), (3, "left", -2, "c", 3))

    with pytest.raises(ContractBreach, match=r"toy__fct_item .*a price is not negative: 2 rows"):
        home.build()

    assert publish.published(home.tables, "toy") == published
    assert {name: stored(home.tables, name) for name in good} == good
    assert home.pending()
    home.load(3, (2, "left", 1, "u", 4), (3, "left", 2, "u", 5))
    home.build()
    assert stored(home.tables, ITEM) == {(1, "left", 5), (2, "left", 1), (3, "left", 2)}


def test_a_first_build_that_fails_leaves_nothing_to_read(home):
    """What was never published is emptied, and the next build derives all of it."""
    home.load(1, (1, "left", 5, "r", 1), (2, "left", -1, "r", 2))

    with pytest.raises(ContractBreach):
        home.build()

    assert publish.published(home.tables, "toy") == {}
    assert stored(home.tables, ITEM) == set()
    home.load(2, (2, "left", 1, "u", 3))
    home.build()
    assert stored(home.tables, ITEM) == {(1, "left", 5), (2, "left", 1)}


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


FEATURES = """
apiVersion: v3.1.0
kind: DataContract
id: toy-items
version: 1.0.0
status: active
domain: toy
schema:
  - name: items
    logicalType: object
    properties:
      - {name: item, logicalType: integer, physicalType: bigint, primaryKey: true, primaryKeyPosition: 1}
      - {name: shelf, logicalType: string, physicalType: string, classification: personal}
      - {name: price, logicalType: integer, physicalType: bigint, logicalTypeOptions: {maximum: 100}}
    quality:
      - {metric: nullValues, arguments: {column: shelf}, mustBe: 0}
customProperties:
  - {property: features, value: {table: fct_item, entity: [item], timestamp: price}}
"""


def test_many_changed_rows_and_few_take_turns(home, monkeypatch):
    """A history is audited in Spark, a day of it in memory, a restated history in Spark again."""
    for batch, rows in enumerate((0, 300_000, 0), start=1):
        monkeypatch.setattr("gold.audit.ROWS", rows)
        home.load(batch, (batch, "left", 5, "c", batch))
        home.build()
    assert publish.published(home.tables, "toy") == home.versions()
    assert stored(home.tables, SHELF) == {("left", 5, 3)}


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_a_feature_set_promises_is_audited_before_it_is_published(
    home, monkeypatch, in_memory
):
    """Its ranges by its suite, its dataset rules by one aggregate; a breach leaves the last good one."""
    if not in_memory:
        monkeypatch.setattr("gold.audit.ROWS", 0)
    folder = home.settings.contracts / "toy"
    folder.mkdir()
    (folder / "items.yaml").write_text(FEATURES)
    home.load(1, (1, "left", 5, "r", 1))
    home.build()
    published = publish.published(home.tables, "toy")
    page = home.settings.home / "data_docs" / "index.html"
    assert "toy__fct_item" in page.read_text()
    home.load(2, (2, "left", 101, "c", 2), (3, None, 7, "c", 3))

    with pytest.raises(ContractBreach, match=r"price: less_than_or_equal_to: 1 rows") as caught:
        home.build()

    rules = {each.rule: each.sample for each in caught.value.found}
    assert rules == {"price less_than_or_equal_to": ("price: 101",), "nullValues shelf": ()}
    assert {each.table for each in caught.value.found} == {str(ITEM)}
    assert publish.published(home.tables, "toy") == published
    assert stored(home.tables, ITEM) == {(1, "left", 5)}
    home.load(3, (2, "left", 99, "u", 4), (3, "right", 7, "u", 5))
    home.build()
    assert stored(home.tables, ITEM) == {(1, "left", 5), (2, "left", 99), (3, "right", 7)}
    results = (home.settings.home / "expectations" / "uncommitted").rglob("*toy__fct_item.json")
    assert len(list(results)) == 1


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
