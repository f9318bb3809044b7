"""One synthetic change is one that a shop makes and the package lacks: a correction, a rename, a void.

Seeded and few. An event is real when the row it leaves behind is the package's row, and synthetic
otherwise. So the rows whose last event is real are, at each day's end, exactly the package's rows,
less those a household or a product changed for good.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from domains.retail.changes import clock
from domains.retail.envelope import REAL, SYNTHETIC, Change, Commit, Row
from domains.retail.frames import START_DAY, days, rows

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_CORRECTED_LINES = 6
_DISPUTED_LINES = 4
# Far above the package's identifiers, the highest of which is a basket of 41 thousand million.
SYNTHETIC_IDS = 90_000_000_000


def with_synthetic(commits: list[Commit], day: date, scale: str, seed: int) -> list[Commit]:
    """Return the day's real commits with the synthetic ones between them, in time order."""
    number = days().index(day)
    commits = _misbooked(commits, Random(f"{seed}:{day}:misbooked"))
    commits = (
        commits
        + _disputed(day, scale, Random(f"{seed}:{day}:disputed"))
        + _spurious_line(commits, Random(f"{seed}:{day}:spurious"))
        + _spurious_redemption(day, number, scale, Random(f"{seed}:{day}:redemption"))
        + _households(day, number, scale, seed)
        + _products(commits, day, number, scale, seed)
    )
    return sorted(commits, key=lambda commit: commit.at)


def _misbooked(commits: list[Commit], random: Random) -> list[Commit]:
    """Book a few lines wrong at first; half an hour and more later each is corrected."""
    lines = [
        (at, place)
        for at, commit in enumerate(commits)
        for place, change in enumerate(commit.changes)
        if change.dataset == "transactions" and commit.at <= clock(_local_day(commit), 20)
    ]
    commits = list(commits)
    for at, place in random.sample(lines, min(_CORRECTED_LINES, len(lines))):
        commit, right = commits[at], commits[at].changes[place].row
        wrong = _wrong(right, random)
        changes = list(commit.changes)
        changes[place] = replace(changes[place], after=wrong, origin=SYNTHETIC)
        commits[at] = replace(commit, changes=tuple(changes))
        later = commit.at + timedelta(minutes=random.randint(30, 150))
        commits.append(Commit(later, (Change("transactions", "u", wrong, right, REAL),)))
    return commits


def _disputed(day: date, scale: str, random: Random) -> list[Commit]:
    """Change a few lines of the last week, and change them back within the hour."""
    week = rows("transactions", scale, first=day - timedelta(days=7), last=day - timedelta(days=1))
    commits = []
    for place in random.sample(range(week.num_rows), min(_DISPUTED_LINES, week.num_rows)):
        right = week.slice(place, 1).to_pylist()[0]
        wrong = _wrong(right, random)
        at = clock(day, random.randint(9, 18), random.randint(0, 59))
        later = at + timedelta(minutes=random.randint(5, 55))
        commits.append(Commit(at, (Change("transactions", "u", right, wrong, SYNTHETIC),)))
        commits.append(Commit(later, (Change("transactions", "u", wrong, right, REAL),)))
    return commits


def _spurious_line(commits: list[Commit], random: Random) -> list[Commit]:
    """Add a line to a basket that nobody bought, and void it."""
    baskets = [commit for commit in commits if commit.changes[0].dataset == "transactions"]
    basket = random.choice(
        [c for c in baskets if c.changes[0].op == "c" and c.at <= clock(_local_day(c), 20)]
    )
    lines = [change.row for change in basket.changes if change.dataset == "transactions"]
    bought = {line["product_id"] for line in lines}
    sold = _sold(commits)
    line = {**lines[0], "product_id": random.choice(sorted(sold - bought))}
    at = basket.at + timedelta(minutes=random.randint(1, 10))
    voided = at + timedelta(minutes=random.randint(5, 40))
    return [
        Commit(at, (Change("transactions", "c", None, line, SYNTHETIC),)),
        Commit(voided, (Change("transactions", "d", line, None, SYNTHETIC),)),
    ]


def _spurious_redemption(day: date, number: int, scale: str, random: Random) -> list[Commit]:
    """Redeem a coupon by mistake, and void the redemption."""
    past = rows("coupon_redemptions", scale, last=day - timedelta(days=1))
    copied = past.slice(random.randrange(past.num_rows - 50, past.num_rows), 1).to_pylist()[0]
    row = {**copied, "redemption_id": SYNTHETIC_IDS + number, "redemption_date": day}
    at = clock(day, random.randint(9, 19), random.randint(0, 59))
    voided = at + timedelta(minutes=random.randint(5, 40))
    return [
        Commit(at, (Change("coupon_redemptions", "c", None, row, SYNTHETIC),)),
        Commit(voided, (Change("coupon_redemptions", "d", row, None, SYNTHETIC),)),
    ]


def _households(day: date, number: int, scale: str, seed: int) -> list[Commit]:
    """Change one household for good; another goes to B on one day and back to A on the next."""
    table = rows("demographics", scale)
    order = Random(f"{seed}:households").sample(range(table.num_rows), 2 * len(days()))
    stays, returns = (
        table.slice(place, 1).to_pylist()[0]
        for place in (order[2 * number], order[number // 2 * 2 + 1])
    )
    moved = _other(stays, "income", table)
    away = _other(returns, "kids_count", table)
    visit = (returns, away, SYNTHETIC) if number % 2 == 0 else (away, returns, REAL)
    random = Random(f"{seed}:{day}:households")
    return [
        Commit(
            clock(day, random.randint(9, 19), random.randint(0, 59)),
            (Change("demographics", "u", before, after, origin),),
        )
        for before, after, origin in ((stays, moved, SYNTHETIC), visit)
    ]


def _products(commits: list[Commit], day: date, number: int, scale: str, seed: int) -> list[Commit]:
    """Rename one product that sold today and delist one that does not sell in the replay.

    The product table has the default replica identity: an update has no row before it, a delete
    the key only. From the second day on it has a column more, `organic`.
    """
    master = rows("products", scale).to_pandas()
    replayed = set(rows("transactions", scale, first=START_DAY)["product_id"].to_pylist())
    idle = [product for product in master["product_id"] if product not in replayed]
    # Each day renames among its own share of products, so that none is renamed twice.
    mine = master["product_id"].isin(_sold(commits)) & (
        master["product_id"] % len(days()) == number
    )
    random = Random(f"{seed}:{day}:products")
    product = random.choice(sorted(master.loc[mine & master["product_type"].notna(), "product_id"]))
    row = _product(master, product)
    renamed = {**row, "product_type": f"{row['product_type']} NEW"}
    gone = Random(f"{seed}:delisted").sample(idle, len(days()))[number]
    key_only = {**dict.fromkeys(row), "product_id": int(gone)}
    if day > START_DAY:
        renamed, key_only = (
            renamed | {"organic": random.random() < 0.5},
            key_only | {"organic": None},
        )
    return [
        Commit(
            clock(day, 7, random.randint(0, 59)),
            (Change("products", "u", None, renamed, SYNTHETIC),),
        ),
        Commit(
            clock(day, 21, random.randint(0, 59)),
            (Change("products", "d", key_only, None, SYNTHETIC),),
        ),
    ]


def _sold(commits: list[Commit]) -> set[int]:
    changes = (change for commit in commits for change in commit.changes)
    return {change.row["product_id"] for change in changes if change.dataset == "transactions"}


def _product(master: pd.DataFrame, product: int) -> dict[str, Any]:
    row = master.loc[master["product_id"] == product].iloc[0].to_dict()
    return {name: int(value) if name.endswith("_id") else value for name, value in row.items()}


def _other(row: Row, column: str, table: pa.Table) -> dict[str, Any]:
    values = sorted(set(table[column].drop_null().to_pylist()))
    return {**row, column: values[(values.index(row[column]) + 1) % len(values)]}


def _wrong(line: Row, random: Random) -> dict[str, Any]:
    more = Decimal(random.randint(1, 500)) / 100
    return {**line, "quantity": line["quantity"] + 1, "sales_value": line["sales_value"] + more}


def _local_day(commit: Commit) -> date:
    return commit.at.astimezone(clock(START_DAY, 0).tzinfo).date()
