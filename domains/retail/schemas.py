"""The types of the eight tables as they are landed, and the keys of those that log changes."""

from __future__ import annotations

import pyarrow as pa

_ID, _TEXT, _WEEK = pa.int64(), pa.string(), pa.int32()
_MONEY = pa.decimal128(10, 2)
_LABEL = pa.dictionary(pa.int32(), pa.string())
SCHEMAS: dict[str, pa.Schema] = {
    "products": pa.schema(
        {
            "product_id": _ID,
            "manufacturer_id": _ID,
            "department": _TEXT,
            "brand": _TEXT,
            "product_category": _TEXT,
            "product_type": _TEXT,
            "package_size": _TEXT,
        }
    ),
    "demographics": pa.schema(
        {
            "household_id": _ID,
            "age": _TEXT,
            "income": _TEXT,
            "home_ownership": _TEXT,
            "marital_status": _TEXT,
            "household_size": _TEXT,
            "household_comp": _TEXT,
            "kids_count": _TEXT,
        }
    ),
    "campaign_descriptions": pa.schema(
        {
            "campaign_id": _ID,
            "campaign_type": _TEXT,
            "start_date": pa.date32(),
            "end_date": pa.date32(),
        }
    ),
    "campaigns": pa.schema({"campaign_id": _ID, "household_id": _ID}),
    "coupons": pa.schema({"coupon_upc": _ID, "product_id": _ID, "campaign_id": _ID}),
    "coupon_redemptions": pa.schema(
        {
            "redemption_id": _ID,
            "household_id": _ID,
            "coupon_upc": _ID,
            "campaign_id": _ID,
            "redemption_date": pa.date32(),
        }
    ),
    "transactions": pa.schema(
        {
            "household_id": _ID,
            "store_id": _ID,
            "basket_id": _ID,
            "product_id": _ID,
            "quantity": pa.int64(),
            "sales_value": _MONEY,
            "retail_disc": _MONEY,
            "coupon_disc": _MONEY,
            "coupon_match_disc": _MONEY,
            "week": _WEEK,
            "transaction_timestamp": pa.timestamp("us", "UTC"),
        }
    ),
    "promotions": pa.schema(
        {
            "product_id": _ID,
            "store_id": _ID,
            "display_location": _LABEL,
            "mailer_location": _LABEL,
            "week": _WEEK,
        }
    ),
}
DATASETS = tuple(SCHEMAS)
KEYS = {
    "products": ("product_id",),
    "demographics": ("household_id",),
    "campaign_descriptions": ("campaign_id",),
    "campaigns": ("campaign_id", "household_id"),
    "coupons": ("coupon_upc", "product_id", "campaign_id"),
    "coupon_redemptions": ("redemption_id",),
    "transactions": ("basket_id", "product_id"),
}
