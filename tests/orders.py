"""A small dataset of orders: its contract, its change events and its files, for tests."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

CAPTURE = [
    {"method": "files", "format": "parquet", "path": "orders/snapshot/*.parquet"},
    {"method": "debezium", "format": "debezium-json", "path": "orders/changes/*.jsonl"},
]
VAULT = {
    "hubs": {"order": ["order_id"], "customer": ["customer_id"]},
    "link": {"name": "placed"},
    "satellite": "placed",
}


def document(**changes):
    """Return the contract as plain values, with parts replaced."""
    properties = [
        _column("order_id", "integer", "bigint", primaryKey=True, primaryKeyPosition=1),
        _column("customer_id", "integer", "bigint", required=True),
        _column("amount", "number", "decimal(10,2)", logicalTypeOptions={"minimum": 0}),
        _column(
            "status",
            "string",
            "string",
            quality=[
                {
                    "metric": "invalidValues",
                    "arguments": {"validValues": ["open", "paid"]},
                    "mustBe": 0,
                }
            ],
            customProperties=[
                {
                    "property": "cleanse",
                    "value": {"trim": True, "case": "lower", "nullTokens": ["n/a"]},
                }
            ],
        ),
    ]
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "shop-orders",
        "version": "1.0.0",
        "status": "active",
        "domain": "shop",
        "schema": [{"name": "orders", "logicalType": "object", "properties": properties}],
        "customProperties": [
            {"property": "capture", "value": CAPTURE},
            {"property": "vault", "value": VAULT},
        ],
    } | changes


def _column(name, logical, physical, **more):
    return {"name": name, "logicalType": logical, "physicalType": physical, **more}


def write_contract(folder, contract=None):
    """Write the contract into the folder of the domain `shop`."""
    path = folder / "shop" / "orders.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(contract or document(), sort_keys=False), encoding="utf-8")
    return path


def event(op, place, after=None, before=None, *, transaction=100, origin="real"):
    """Return a change envelope; `place` orders it within its transaction, `transaction` that one."""
    return {
        "before": before,
        "after": after,
        "op": op,
        "ts_ms": 1_700_000_000_000,
        "_origin": origin,
        "source": {
            "txId": transaction,
            "lsn": transaction * 1000 + place,
            "sequence": json.dumps([str(transaction * 1000), str(transaction * 1000 + place)]),
            "ts_ms": 1_600_000_000_000 + transaction * 1000,
            "table": "orders",
        },
        "transaction": {"id": f"{transaction}:1", "total_order": place},
    }


def order(number, customer=1, amount="5.00", status="open", **more):
    """Return an order as Debezium writes it: a decimal is text."""
    return {"order_id": number, "customer_id": customer, "amount": amount, "status": status, **more}


def land_events(settings, name, events):
    """Land a file of envelopes; text is written as it is."""
    path = settings.landing / "shop" / "orders" / "changes" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def land_snapshot(settings, name, columns):
    """Land a Parquet file with the given columns."""
    path = settings.landing / "shop" / "orders" / "snapshot" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path
