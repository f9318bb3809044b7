"""The orders of `tests/orders.py` carried through every layer: a fact and a mart over their satellite."""

from __future__ import annotations

import shutil

from lakehouse.settings import PROJECT, Settings
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import spark_catalog
from tests.orders import document, event, land_events, order, write_contract

BRONZE = TableName("bronze", "shop__orders")
SATELLITE = TableName("silver", "shop__sat_placed")
QUARANTINE = TableName("silver", "shop__orders_quarantine")
FACT = TableName("gold", "shop__fct_order")
MART = TableName("gold", "shop__mart_customer")

# What says when a row was written, and not what it says.
WHEN = ("_batch", "_bronze_batch", "_ingested_at", "quarantined_at", "settled_at", "settled_batch")

MODELS = {
    "_shop.yml": """
version: 2
sources:
  - name: silver
    schema: silver
    tables:
      - name: shop__sat_placed
models:
  - name: shop__fct_order
    columns:
      - {name: order_id, data_type: bigint}
      - {name: customer_id, data_type: bigint}
      - {name: amount, data_type: "decimal(10,2)"}
      - {name: _batch, data_type: bigint}
  - name: shop__mart_customer
    columns:
      - {name: customer_id, data_type: bigint}
      - {name: orders, data_type: bigint}
      - {name: _batch, data_type: bigint}
""",
    "shop__fct_order.sql": """
-- One row is one order.
{{ config(unique_key='order_id') }}
{% set since = watermark() %}
select
    order_id,
    max_by(customer_id, _sequence) as customer_id,
    max_by(amount, _sequence) as amount,
    max(_batch) as _batch,
    max_by(_op, _sequence) = 'd' as _deleted
from ({{ touched_events(source('silver', 'shop__sat_placed'), 'order_id', since) }})
group by order_id
""",
    "shop__mart_customer.sql": """
-- One row is one customer.
{{ config(unique_key='customer_id') }}
{% set since = watermark() %}
with touched as (
    {{ touched_members(source('silver', 'shop__sat_placed'), 'order_id', ['customer_id'], since) }}
)
select
    touched.customer_id,
    count(item.order_id) as orders,
    coalesce(max(item._batch), 0) as _batch,
    count(item.order_id) = 0 as _deleted
from touched
left join {{ ref('shop__fct_order') }} as item on touched.customer_id = item.customer_id
group by touched.customer_id
""",
}


def settings_of(folder, contract=None):
    """Return settings of an empty home with the shop's contract and dbt models."""
    project = folder / "dbt"
    (project / "models" / "shop").mkdir(parents=True)
    shutil.copytree(PROJECT / "dbt_project" / "macros", project / "macros")
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / "dbt_project" / file, project)
    for name, text in MODELS.items():
        (project / "models" / "shop" / name).write_text(text)
    write_contract(folder / "contracts", contract or document())
    return Settings(home=folder / "home", dbt_project=project, contracts=folder / "contracts")


class Shop:
    """A shop whose days are landed and run one by one."""

    def __init__(self, folder):
        self.settings = settings_of(folder)
        self.tables = Tables.at(self.settings)

    def land(self, day):
        """Land the events of a day: new orders, a late change, a repeat, a bad row, a delete."""
        first = day * 10
        events = [
            event("c", 1, order(first, customer=day), transaction=100 * day),
            event("c", 2, order(first + 1, customer=1, amount="7.50"), transaction=100 * day),
            event("c", 3, order(first + 2, customer=2, amount="-1"), transaction=100 * day),
        ]
        if day > 1:
            before = order(first - 10)
            events += [
                event("u", 4, order(first - 10, customer=9), before, transaction=100 * day),
                event("d", 5, None, {"order_id": first - 9}, transaction=100 * day),
                events[0],
            ]
        return land_events(self.settings, f"{day:03}.jsonl", events)

    def run(self, day=None):
        """Land a day, if one is given, and run; return the result."""
        if day is not None:
            self.land(day)
        return run_layers(self.settings, "shop")

    def contents(self):
        """Return the rows of every table, as text that can be compared, without the columns of times and runs."""
        return {name: rows(self.tables, name) for name in self.tables.names("shop")}


class ShopCopies:
    """Homes of the shop after its first days, each made once and copied for each test."""

    def __init__(self, folder, spark):
        self.folder, self.spark = folder, spark

    def after(self, days, folder):
        """Return a shop of its own in an empty folder, of which the first days have run."""
        if days == 0:
            return Shop(folder)
        made = self.folder / f"day-{days}"
        if not made.exists():
            partial = self.folder / f"day-{days}.partial"
            self.after(days - 1, partial).run(days)
            spark_catalog.clear(self.spark)
            partial.rename(made)
        shutil.copytree(made / "home", folder / "home")
        return Shop(folder)


def rows(tables, name, version=None):
    """Return a table's rows as sorted texts, without the columns of times and runs; none for no table."""
    table = tables.open(name, version)
    stored = [] if table is None else table.to_pyarrow_table().to_pylist()
    return sorted(
        repr(sorted((key, value) for key, value in row.items() if key not in WHEN))
        for row in stored
    )


def filled(contents):
    """Return the contents less the tables without a row: they are the same as absent ones."""
    return {name: stored for name, stored in contents.items() if stored}
