"""A small lakehouse of a domain of its own, `shop`, made without Spark: what the verbs read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from lakehouse.runs.ledger import Ledger, Run, Step
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMERS = """
apiVersion: v3.1.0
kind: DataContract
id: shop-customers
name: Customers
version: 1.2.0
status: active
domain: shop
description: {purpose: One row is one customer.}
schema:
  - name: customers
    logicalType: object
    properties:
      - {name: id, logicalType: integer, physicalType: bigint, primaryKey: true, required: true}
      - {name: email, logicalType: string, physicalType: string, classification: confidential,
         logicalTypeOptions: {pattern: "[^@]+@[^@]+"}}
      - {name: city, logicalType: string, physicalType: string}
team: {name: crm}
customProperties:
  - property: capture
    value: [{method: files, format: parquet, path: "customers/*.parquet"}]
  - property: vault
    value: {hubs: {customer: [id]}, satellite: customer}
"""
ORDERS = """
apiVersion: v3.1.0
kind: DataContract
id: shop-orders
name: Orders
version: 1.0.0
status: active
domain: shop
description: {purpose: One row is one order.}
schema:
  - name: orders
    logicalType: object
    properties:
      - {name: number, logicalType: integer, physicalType: bigint, primaryKey: true, required: true}
      - {name: customer_id, logicalType: integer, physicalType: bigint, required: true}
      - name: price
        logicalType: number
        physicalType: decimal(10,2)
        required: true
        description: What was paid.
        logicalTypeOptions: {minimum: 0}
        customProperties: [{property: unit, value: EUR}]
        quality:
          - {type: custom, engine: pandera, name: free, severity: warning,
             implementation: {check: not_equal_to, value: 0}}
team: {name: sales}
slaProperties: [{property: frequency, value: 1, unit: d}]
customProperties:
  - property: capture
    value: [{method: files, format: parquet, path: "orders/*.parquet"}]
  - property: vault
    value:
      hubs: {order: [number], customer: {id: customer_id}}
      link: {name: order_customer}
      satellite: order
"""
BAD = [
    ({"number": "7", "price": "-1.00"}, [("price", "greater_than_or_equal_to", "-1.00")]),
    ({"number": "8"}, [("customer_id", "required", None), ("price", "required", None)]),
]


def contracts(folder: Path) -> Path:
    """Return the folder of contracts, after writing the domain's two."""
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "customers.yaml").write_text(CUSTOMERS, encoding="utf-8")
    (folder / "shop" / "orders.yaml").write_text(ORDERS, encoding="utf-8")
    return folder


def build(home: Path, rows: int = 10) -> Tables:
    """Return the tables after two runs: both load bronze, only the first was carried to silver."""
    tables = Tables(str(home / "warehouse"))
    ledger = Ledger(tables)
    with ledger.run("shop") as run:
        for dataset, bad in (("customers", _bad_customers()), ("orders", _bad_orders())):
            _bronze(tables, run, dataset, rows + len(bad))
            _silver(tables, run, dataset, rows, bad)
        _gold(tables, run, rows)
    with ledger.run("shop") as run:
        _bronze(tables, run, "orders", 3)
    return tables


def _bronze(tables: Tables, run: Run, dataset: str, rows: int) -> None:
    name = TableName.of("bronze", "shop", dataset)
    batch = pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "_batch": pa.array([run.number] * rows, pa.int64()),
        }
    )
    tables.append(name, batch, idempotency_key=("capture", run.number))
    run.record(
        Step(
            run.number, "shop", "bronze", str(name),
            written=rows, bytes=rows * 40, seconds=0.5, upstream="1 files",
        )
    )  # fmt: skip


def _silver(tables: Tables, run: Run, dataset: str, rows: int, bad: list) -> None:
    bronze = TableName.of("bronze", "shop", dataset)
    name = TableName.of("silver", "shop", f"sat_{dataset.removesuffix('s')}")
    events = pa.table(
        {"_sequence": [f"{i:04}" for i in range(rows)], "_batch": [run.number] * rows}
    )
    rejected = pa.Table.from_pylist(
        [
            {
                "row": list(row.items()),
                "failures": [{"column": c, "rule": r, "value": v} for c, r, v in failures],
                "contract_version": "1.0.0",
                "status": "open",
                "_op": "c",
                "_sequence": f"{place:04}",
                "_source": f"{dataset}/a.parquet",
                "_origin": "real",
                "_batch": run.number,
            }
            for place, (row, failures) in enumerate(bad)
        ],
        schema=QUARANTINE,
    )
    tables.append(TableName.of("silver", "shop", f"{dataset}_quarantine"), rejected)
    tables.append(name, events, idempotency_key=(str(bronze), run.number))
    run.record(
        Step(
            run.number, "shop", "silver", str(name),
            input=rows + len(bad), valid=rows, quarantined=len(bad), written=rows,
            bytes=rows * 30, seconds=1.25, upstream=str(bronze), version_from=-1,
            version_to=run.number, contract_version="1.0.0",
        )
    )  # fmt: skip


def _gold(tables: Tables, run: Run, rows: int) -> None:
    name = TableName.of("gold", "shop", "fct_order")
    prices = pa.table({"number": list(range(rows)), "price": [9.5] * rows})
    tables.append(name, prices)
    upstream = "silver.shop__sat_order"
    run.record(
        Step(
            run.number, "shop", "gold", str(name), written=rows, seconds=2.0, upstream=upstream
        )
    )  # fmt: skip


QUARANTINE = pa.schema(
    [
        ("row", pa.map_(pa.string(), pa.string())),
        (
            "failures",
            pa.list_(
                pa.struct([("column", pa.string()), ("rule", pa.string()), ("value", pa.string())])
            ),
        ),
        *[
            (name, pa.string())
            for name in ("contract_version", "status", "_op", "_sequence", "_source", "_origin")
        ],
        ("_batch", pa.int64()),
    ]
)


def _bad_orders() -> list:
    return BAD


def _bad_customers() -> list:
    return [
        (
            {"id": "3", "email": "ann.example.org", "city": "Bonn"},
            [("email", "str_matches", "ann.example.org")],
        ),
        (
            {"_line": '{"id": 4, "email": "bob@example.org"', "_bytes": "626F6240"},
            [("_line", "unreadable", "{...")],
        ),
    ]


def model(home: Path) -> Path:
    """Return the folder of a trained model's manifest."""
    folder = home / "models" / "shop" / "reorder"
    folder.mkdir(parents=True)
    manifest = {
        "name": "reorder",
        "version": "1",
        "trained_at": (datetime.now(UTC) - timedelta(hours=2)).isoformat(),
        "rows_train": 900,
        "rows_test": 300,
        "feature_sets": {"customer_day": 4},
        "metrics": {
            "pr_auc": 0.41,
            "base_rate": 0.12,
            "brier": 0.09,
            "calibration": [
                {"predicted": 0.05, "observed": 0.04, "count": 200},
                {"predicted": 0.22, "observed": 0.25, "count": 70},
                {"predicted": 0.61, "observed": 0.55, "count": 30},
            ],
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
