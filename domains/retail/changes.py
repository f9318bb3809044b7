"""One commit is what the shop's database committed at once: a basket, or the start of a campaign.

A basket comes with the coupons it redeemed. All here is real; `synthetic` adds what the package
lacks.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from domains.retail.envelope import REAL, Change, Commit, Row
from domains.retail.frames import STORE_CLOCK, rows

_CAMPAIGN_DATASETS = ("campaign_descriptions", "coupons", "campaigns")


def clock(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return an instant of the stores' clock, in UTC.

    In UTC, since Arrow takes any other zone's hour for UTC's once pyspark.pandas was imported: that
    sets PYARROW_IGNORE_TIMEZONE for the whole process.
    """
    local = datetime.combine(day, time(hour, minute, second), ZoneInfo(STORE_CLOCK))
    return local.astimezone(UTC)


def real_commits(day: date, scale: str) -> list[Commit]:
    """Return the real commits of one local day, in time order."""
    redeemed = defaultdict[object, list[Change]](list)
    for row in rows("coupon_redemptions", scale, first=day, last=day).to_pylist():
        redeemed[row["household_id"]].append(_created("coupon_redemptions", row))
    commits = _campaign_starts(day, scale)
    for lines in _baskets(day, scale):
        # A redemption has a date only: it is booked with the household's first basket of the day.
        coupons = redeemed.pop(lines[0]["household_id"], [])
        changes = [_created("transactions", line) for line in lines] + coupons
        commits.append(Commit(lines[0]["transaction_timestamp"], tuple(changes)))
    # At a smaller scale the basket of some redemptions is not replayed.
    commits += [Commit(clock(day, 12), tuple(coupons)) for coupons in redeemed.values()]
    return sorted(commits, key=lambda commit: commit.at)


def _baskets(day: date, scale: str) -> list[list[dict]]:
    baskets = defaultdict[int, list[dict]](list)
    for line in rows("transactions", scale, first=day, last=day).to_pylist():
        baskets[line["basket_id"]].append(line)
    return list(baskets.values())


def _campaign_starts(day: date, scale: str) -> list[Commit]:
    changes = [
        _created(dataset, row)
        for dataset in _CAMPAIGN_DATASETS
        for row in rows(dataset, scale, first=day, last=day).to_pylist()
    ]
    return [Commit(clock(day, 0), tuple(changes))] if changes else []


def _created(dataset: str, row: Row) -> Change:
    return Change(dataset, "c", None, row, REAL)
