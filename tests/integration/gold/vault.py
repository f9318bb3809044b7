"""A small retail vault, written without a JVM: what silver would hold after some batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lakehouse.storage.tables import Tables

GHOST = bytes(32)
MONEY = pa.decimal128(10, 2)
MOMENT = pa.timestamp("us", tz="UTC")
TEXT, WHOLE, DAY = pa.string(), pa.int64(), pa.date32()
AUDIT = {
    "_op": TEXT,
    "_sequence": TEXT,
    "_source_ts": MOMENT,
    "_origin": TEXT,
    "_flags": pa.list_(TEXT),
    "_batch": WHOLE,
}


@dataclass(frozen=True)
class Dataset:
    """The shape of one dataset in the vault: columns, key, hubs, and where its events lie."""

    columns: dict[str, pa.DataType]
    key: tuple[str, ...]
    hubs: dict[str, str]
    events: str
    link: str = ""

    @property
    def schema(self) -> pa.Schema:
        """Return the schema of the events table."""
        keys = ([f"{self.link}_hk"] if self.link else []) + [f"{hub}_hk" for hub in self.hubs]
        return pa.schema(
            [(key, pa.binary()) for key in keys]
            + list(self.columns.items())
            + [("_hashdiff", pa.binary())]
            + list(AUDIT.items())
        )


def _texts(*names: str) -> dict[str, pa.DataType]:
    return dict.fromkeys(names, TEXT)


_LINE_MONEY = dict.fromkeys(
    ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"), MONEY
)
DATASETS = {
    "transactions": Dataset(
        {
            **dict.fromkeys(
                ("household_id", "store_id", "basket_id", "product_id", "quantity"), WHOLE
            ),
            **_LINE_MONEY,
            "week": pa.int32(),
            "transaction_timestamp": MOMENT,
        },
        ("basket_id", "product_id"),
        {
            "basket": "basket_id",
            "product": "product_id",
            "household": "household_id",
            "store": "store_id",
        },
        "sat_basket_line",
        "basket_line",
    ),
    "products": Dataset(
        {
            "product_id": WHOLE,
            "manufacturer_id": WHOLE,
            **_texts("department", "brand", "product_category", "product_type", "package_size"),
        },
        ("product_id",),
        {"product": "product_id"},
        "sat_product",
    ),
    "demographics": Dataset(
        {
            "household_id": WHOLE,
            **_texts("age", "income", "home_ownership", "marital_status"),
            **_texts("household_size", "household_comp", "kids_count"),
        },
        ("household_id",),
        {"household": "household_id"},
        "sat_household_demographics",
    ),
    "campaigns": Dataset(
        {"campaign_id": WHOLE, "household_id": WHOLE},
        ("campaign_id", "household_id"),
        {"campaign": "campaign_id", "household": "household_id"},
        "sat_campaign_target",
        "campaign_target",
    ),
    "campaign_descriptions": Dataset(
        {"campaign_id": WHOLE, "campaign_type": TEXT, "start_date": DAY, "end_date": DAY},
        ("campaign_id",),
        {"campaign": "campaign_id"},
        "sat_campaign",
    ),
    "coupons": Dataset(
        {"coupon_upc": WHOLE, "product_id": WHOLE, "campaign_id": WHOLE},
        ("coupon_upc", "product_id", "campaign_id"),
        {"coupon": "coupon_upc", "product": "product_id", "campaign": "campaign_id"},
        "sat_coupon_product",
        "coupon_product",
    ),
    "coupon_redemptions": Dataset(
        {
            **dict.fromkeys(("redemption_id", "household_id", "coupon_upc", "campaign_id"), WHOLE),
            "redemption_date": DAY,
        },
        ("redemption_id",),
        {"household": "household_id", "coupon": "coupon_upc", "campaign": "campaign_id"},
        "sat_redemption",
        "redemption",
    ),
    "promotions": Dataset(
        {
            "product_id": WHOLE,
            "store_id": WHOLE,
            **_texts("display_location", "mailer_location"),
            "week": pa.int32(),
        },
        ("product_id", "store_id", "display_location", "mailer_location", "week"),
        {"product": "product_id", "store": "store_id"},
        "lnk_promotion",
        "promotion",
    ),
}
HUBS = {
    hub: (column, shape.columns[column])
    for shape in DATASETS.values()
    for hub, column in shape.hubs.items()
}


def hashed(*values: Any) -> bytes:
    """Return the key of a business key, the ghost's where a part is missing."""
    if any(value is None for value in values):
        return GHOST
    return hashlib.sha256("|".join(map(str, values)).encode()).digest()


@dataclass
class Vault:
    """Writes events into the silver tables of one warehouse, batch by batch."""

    tables: Tables
    domain: str = "retail"
    stored: dict[str, set[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Create every table, empty but for the ghost rows."""
        for dataset in DATASETS.values():
            self._append(dataset.events, dataset.schema.empty_table())
        for hub in HUBS:
            self._append_hub(hub, {GHOST: None}, 0)

    def load(self, dataset: str, batch: int, events: Iterable[dict[str, Any]]) -> None:
        """Append events: payload columns with `_op`, `_sequence` and `_source_ts` (see `event`)."""
        shape, rows, members = DATASETS[dataset], [], {hub: {} for hub in DATASETS[dataset].hubs}
        for item in events:
            row = {**item, "_batch": batch, "_origin": "real"}
            row.setdefault("_flags", ["zero_quantity"] if row.get("quantity") == 0 else None)
            rest = [row.get(column) for column in shape.columns if column not in shape.key]
            row["_hashdiff"] = hashed(*map(str, rest))
            if shape.link:
                row[f"{shape.link}_hk"] = hashed(*(row[column] for column in shape.key))
            for hub, column in shape.hubs.items():
                key = row[f"{hub}_hk"] = hashed(row.get(column))
                members[hub][key] = row.get(column)
            rows.append(row)
        for hub, keys in members.items():
            self._append_hub(hub, keys, batch)
        self._append(shape.events, pa.Table.from_pylist(rows, schema=shape.schema))

    def _append_hub(self, hub: str, members: dict[bytes, Any], batch: int) -> None:
        stored, (column, kind) = self.stored.setdefault(hub, set()), HUBS[hub]
        fresh = {key: value for key, value in members.items() if key not in stored}
        stored.update(fresh)
        schema = pa.schema([(f"{hub}_hk", pa.binary()), (column, kind), ("_batch", WHOLE)])
        rows = [{f"{hub}_hk": key, column: value, "_batch": batch} for key, value in fresh.items()]
        if rows:
            self._append(f"hub_{hub}", pa.Table.from_pylist(rows, schema=schema))

    def _append(self, table: str, rows: pa.Table) -> None:
        self.tables.append(TableName.of("silver", self.domain, table), rows)


def event(op: str, sequence: int, at: datetime, **payload: Any) -> dict[str, Any]:
    """Return one change event; a larger sequence is later in the source's order."""
    return {**payload, "_op": op, "_sequence": f"{sequence:020d}", "_source_ts": at}
