"""What a change of the dbt project builds: the models that it changes and what reads them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from gold import publish
from lakehouse.errors import ContractBreach, LakehouseError
from tests.integration.gold.toy import ITEM, SATELLITE, SHELF, stored

pytestmark = pytest.mark.spark

COUNT = """
-- One row is the number of items.
{{ config(materialized='table') }}
select cast(1 as bigint) as id, count(*) as items, max(_batch) as _batch from {{ ref('toy__fct_item') }}
"""
COUNT_YAML = """
  - name: toy__mart_count
    columns:
      - {name: id, data_type: bigint}
      - {name: items, data_type: bigint}
      - {name: _batch, data_type: bigint}
"""
CHEAP = "select * from {{ ref('toy__fct_item') }} where price < {{ limit() }}"


def test_a_changed_model_is_rebuilt_with_what_reads_it(loaded):
    """New SQL says something else of old rows, too; a model beside it keeps its version."""
    loaded.edit("toy__fct_item.sql", "max_by(price, _sequence)", "max_by(price, _sequence) * 2")
    assert loaded.pending()

    assert loaded.built() == {str(ITEM), str(SHELF)}

    assert stored(loaded.tables, ITEM) == {(1, "left", 10)}
    assert stored(loaded.tables, SHELF) == {("left", 10, 1)}
    assert not loaded.pending()
    loaded.edit("toy__mart_shelf.sql", "count(*) as items", "2 * count(*) as items")
    before = loaded.versions()
    loaded.load(3, (2, "right", 6, "c", 2))

    loaded.build()

    assert stored(loaded.tables, SHELF) == {("left", 10, 2), ("right", 12, 2)}
    assert loaded.versions()[ITEM] == before[ITEM] + 1
    assert publish.published(loaded.tables, "toy") == loaded.versions()


def test_an_added_model_is_built_alone_and_a_removed_one_unpublished(loaded):
    """The others keep their versions; of a model that is gone readers see nothing any more."""
    before = loaded.versions()
    (loaded.models / "toy__mart_count.sql").write_text(COUNT)
    path = loaded.models / "_toy.yml"
    path.write_text(path.read_text() + COUNT_YAML)

    assert loaded.built() == {"gold.toy__mart_count"}

    assert loaded.versions() == before
    (loaded.models / "toy__mart_count.sql").unlink()
    path.write_text(path.read_text().replace(COUNT_YAML, ""))
    assert loaded.pending()
    assert loaded.build() == []
    assert publish.published(loaded.tables, "toy") == before
    assert not loaded.pending()


def test_a_changed_macro_rebuilds_the_models_that_use_it(loaded):
    """Directly or through another macro; a comment of a model that nothing reads costs one model."""
    macros = loaded.settings.dbt_project / "macros" / "toy.sql"
    macros.write_text(
        "{% macro limit() %}{{ least() }}{% endmacro %}{% macro least() %}9{% endmacro %}"
    )
    (loaded.models / "toy__cheap.sql").write_text(
        "{{ config(materialized='view', contract={'enforced': false}) }}" + CHEAP
    )
    loaded.build()
    before = loaded.versions()
    views = publish.views(loaded.tables, "toy")
    assert [str(name) for name in views] == ["gold.toy__cheap"]

    macros.write_text(macros.read_text().replace("9", "3"))
    loaded.build()

    assert loaded.versions() == before
    [query] = publish.views(loaded.tables, "toy").values()
    assert query.endswith("price < 3")


def test_a_changed_type_is_built_or_refused(loaded):
    """A model's YAML is a contract: its new type is built, and one that the SQL does not yield refused."""
    loaded.edit("_toy.yml", "{name: items, data_type: bigint}", "{name: items, data_type: int}")
    before = publish.published(loaded.tables, "toy")

    with pytest.raises(LakehouseError, match="items is bigint, in the contract int"):
        loaded.build()

    assert publish.published(loaded.tables, "toy") == before
    assert stored(loaded.tables, SHELF) == {("left", 5, 1)}
    loaded.edit("toy__mart_shelf.sql", "count(*) as items", "cast(count(*) as int) as items")
    loaded.edit("toy__mart_shelf.sql", "null as items", "cast(null as int) as items")
    assert loaded.built() == {str(SHELF)}
    assert pa.schema(loaded.tables.open(SHELF).schema()).field("items").type == pa.int32()


def test_a_changed_audit_is_run_on_all_rows_without_a_build(loaded):
    """Rows that were published under the old rule are audited by the new one: a breach, then none."""
    before = loaded.versions()
    loaded.edit("_toy.yml", "price >= 0", "price >= 1000")
    assert loaded.pending()

    with pytest.raises(ContractBreach, match=r"a price is not negative: 1 rows"):
        loaded.build()

    assert loaded.versions() == before
    loaded.edit("_toy.yml", "price >= 1000", "price >= 1")
    assert loaded.build() == []
    assert not loaded.pending()
    assert loaded.versions() == before


def test_a_blocked_model_that_changed_is_rebuilt_when_it_no_longer_is(loaded):
    """Its SQL changed while its source was blocked: nothing is built, and nothing is forgotten."""
    loaded.edit("toy__fct_item.sql", "max_by(price, _sequence)", "max_by(price, _sequence) * 2")
    loaded.load(2, (2, "left", 6, "c", 2))
    assert loaded.build(blocked=[SATELLITE]) == []
    assert loaded.pending()

    loaded.build()

    assert stored(loaded.tables, ITEM) == {(1, "left", 10), (2, "left", 12)}
