"""A domain of one fact and one mart over one satellite: as little dbt as shows the engine."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gold import build
from lakehouse.runs.ledger import Ledger
from lakehouse.settings import PROJECT, Settings
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from pathlib import Path

SATELLITE = TableName("silver", "toy__sat_item")
ITEM = TableName("gold", "toy__fct_item")
SHELF = TableName("gold", "toy__mart_shelf")

FILES = {
    "_toy.yml": """
version: 2
sources:
  - name: silver
    schema: silver
    tables:
      - name: toy__sat_item
models:
  - name: toy__fct_item
    data_tests:
      - audited:
          name: toy__fct_item__audit
          arguments:
            key: [item]
            expressions:
              a price is not negative: price >= 0
    columns:
      - {name: item, data_type: bigint}
      - {name: shelf, data_type: string}
      - {name: price, data_type: bigint}
      - {name: _batch, data_type: bigint}
  - name: toy__mart_shelf
    columns:
      - {name: shelf, data_type: string}
      - {name: price, data_type: bigint}
      - {name: items, data_type: bigint}
      - {name: _batch, data_type: bigint}
""",
    "toy__fct_item.sql": """
-- One row is one item.
{{ config(unique_key='item') }}
{% set since = watermark() %}
select
    item,
    max_by(shelf, _sequence) as shelf,
    max_by(price, _sequence) as price,
    max(_batch) as _batch,
    max_by(_op, _sequence) = 'd' as _deleted
from ({{ touched_events(source('silver', 'toy__sat_item'), 'item', since) }})
group by item
""",
    "toy__mart_shelf.sql": """
-- One row is one shelf and price: all prices of a shelf are derived together.
{{ config(unique_key=['shelf', 'price'], scope_key='shelf') }}
{% set since = watermark() %}
with touched as (
    {{ touched_members(source('silver', 'toy__sat_item'), 'item', ['shelf'], since) }}
)
select
    item.shelf,
    item.price,
    count(*) as items,
    max(item._batch) as _batch,
    false as _deleted
from {{ ref('toy__fct_item') }} as item
left semi join touched on item.shelf = touched.shelf
group by item.shelf, item.price
{% if since >= 0 %}
union all
select shelf, null as price, null as items, null as _batch, true as _deleted
from touched
{% endif %}
""",
}

_SCHEMA = pa.schema(
    [
        ("item", pa.int64()),
        ("shelf", pa.string()),
        ("price", pa.int64()),
        ("_op", pa.string()),
        ("_sequence", pa.string()),
        ("_batch", pa.int64()),
    ]
)


def settings_of(folder: Path) -> Settings:
    """Return settings of an empty home whose dbt project has the toy domain only."""
    project = folder / "dbt"
    (project / "models" / "toy").mkdir(parents=True)
    shutil.copytree(PROJECT / "dbt_project" / "macros", project / "macros")
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / "dbt_project" / file, project)
    for name, text in FILES.items():
        (project / "models" / "toy" / name).write_text(text)
    contracts = folder / "contracts"
    contracts.mkdir()
    return Settings(home=folder / "home", dbt_project=project, contracts=contracts)


class Home:
    """A home with the toy domain, whose every build is a run of its own."""

    def __init__(self, spark, settings):
        self.spark, self.settings = spark, settings
        self.tables = Tables.at(settings)

    @property
    def models(self):
        """The folder of the domain's models."""
        return self.settings.dbt_project / "models" / "toy"

    def edit(self, name, old, new):
        """Replace a text in a file of the domain that has it."""
        path = self.models / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def load(self, batch, *events):
        """Append events to the satellite."""
        load(self.tables, batch, *events)

    def build(self, **options):
        """Build gold in a run of its own."""
        with Ledger(self.tables).run("toy") as run:
            return build.build(self.spark, self.settings, "toy", run, **options)

    def built(self, **options):
        """Build gold; return the tables that were built."""
        return {step.table for step in self.build(**options)}

    def versions(self):
        """The version of each table."""
        return {name: self.tables.version(name) for name in (ITEM, SHELF)}

    def pending(self):
        """Whether a build is due."""
        return build.pending(self.settings, "toy")


def load(tables: Tables, batch: int, *events: tuple[int, str | None, int | None, str, int]) -> None:
    """Append events, each (item, shelf, price, op, sequence), to the satellite."""
    rows: list[dict[str, Any]] = [
        {
            "item": item,
            "shelf": shelf,
            "price": price,
            "_op": op,
            "_sequence": f"{sequence:06d}",
            "_batch": batch,
        }
        for item, shelf, price, op, sequence in events
    ]
    tables.append(SATELLITE, pa.Table.from_pylist(rows, schema=_SCHEMA))


def stored(tables: Tables, name: TableName, version: int | None = None) -> set[tuple[Any, ...]]:
    """Return a table's rows without `_batch`, read without Spark."""
    table = tables.open(name, version)
    rows = [] if table is None else table.to_pyarrow_table().to_pylist()
    return {tuple(value for key, value in row.items() if key != "_batch") for row in rows}
