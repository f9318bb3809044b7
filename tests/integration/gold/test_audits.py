"""Audit before publication: a breach names its rule, and readers keep the last good state."""

from __future__ import annotations

import pytest

from gold import publish
from lakehouse.errors import ContractBreach
from tests.integration.gold.toy import ITEM, SHELF, stored

pytestmark = pytest.mark.spark

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


def test_a_failing_audit_puts_every_table_back(loaded):
    """The error names audit, table, rule and rows; readers and tables stay at the last good one."""
    published = publish.published(loaded.tables, "toy")
    good = {name: stored(loaded.tables, name) for name in published}
    loaded.load(2, (2, "left", -1, "c", 2), (3, "left", -2, "c", 3))

    with pytest.raises(ContractBreach, match=r"toy__fct_item .*a price is not negative: 2 rows"):
        loaded.build()

    assert publish.published(loaded.tables, "toy") == published
    assert {name: stored(loaded.tables, name) for name in good} == good
    assert loaded.pending()
    loaded.load(3, (2, "left", 1, "u", 4), (3, "left", 2, "u", 5))
    loaded.build()
    assert stored(loaded.tables, ITEM) == {(1, "left", 5), (2, "left", 1), (3, "left", 2)}


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


def test_accepted_values_are_any_text(home):
    """A quote or a backslash in an accepted value is a character like any other."""
    values = """key: [item]
            accepted: {shelf: ["baker's", 'a\\b', '3']}"""
    home.edit("_toy.yml", "key: [item]", values)
    home.load(1, (1, "baker's", 5, "r", 1), (2, "a\\b", 5, "r", 2), (3, "3", 5, "r", 3))
    home.build()
    assert len(stored(home.tables, ITEM)) == 3
    home.load(2, (4, "bakers", 5, "c", 4))

    with pytest.raises(ContractBreach, match=r"shelf is not accepted: 1 rows"):
        home.build()


def test_many_changed_rows_and_few_take_turns(loaded, monkeypatch):
    """After a first batch in memory a second is audited in Spark, and a third in memory again."""
    for batch, rows in ((2, 0), (3, 300_000)):
        monkeypatch.setattr("gold.audit.ROWS", rows)
        loaded.load(batch, (batch, "left", 5, "c", batch))
        loaded.build()
    assert publish.published(loaded.tables, "toy") == loaded.versions()
    assert stored(loaded.tables, SHELF) == {("left", 5, 3)}


@pytest.fixture
def featured(loaded):
    """A home whose fact is a feature set, with two rows to build that break its contract."""
    folder = loaded.settings.contracts / "toy"
    folder.mkdir()
    (folder / "items.yaml").write_text(FEATURES)
    loaded.load(2, (2, "left", 101, "c", 2), (3, None, 7, "c", 3))
    return loaded


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_feature_set_is_audited_before_it_is_published(featured, monkeypatch, in_memory):
    """Its ranges by its suite, its dataset rules by one aggregate, few rows in memory, many in Spark."""
    if not in_memory:
        monkeypatch.setattr("gold.audit.ROWS", 0)
    published = publish.published(featured.tables, "toy")

    with pytest.raises(ContractBreach, match=r"price: less_than_or_equal_to: 1 rows") as caught:
        featured.build()

    rules = {rule.rule: rule.sample for rule in caught.value.violations}
    assert rules == {"price less_than_or_equal_to": ("price: 101",), "nullValues shelf": ()}
    assert {rule.table for rule in caught.value.violations} == {str(ITEM)}
    assert publish.published(featured.tables, "toy") == published
    assert stored(featured.tables, ITEM) == {(1, "left", 5)}


def test_a_corrected_feature_set_is_published_with_its_page(featured):
    """After a breach the corrected rows are published; of the audits the last result is kept."""
    with pytest.raises(ContractBreach):
        featured.build()
    page = featured.settings.home / "data_docs" / "index.html"
    assert "toy__fct_item" in page.read_text()
    featured.load(3, (2, "left", 99, "u", 4), (3, "right", 7, "u", 5))

    featured.build()

    assert stored(featured.tables, ITEM) == {(1, "left", 5), (2, "left", 99), (3, "right", 7)}
    results = (featured.settings.home / "expectations" / "uncommitted").rglob("*toy__fct_item.json")
    assert len(list(results)) == 1
