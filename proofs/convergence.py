"""Random logs, shuffled, repeated and split over runs, give what plain Python says they should."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from lakehouse.layers import BATCH
from lakehouse.storage.catalog import register
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from proofs import shop
from proofs.oracle import Expected, expected
from proofs.records import records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession

    from lakehouse.settings import Settings
    from proofs.log import Pack

# What is compared of each table; the rest is audit: batches, flags, hashes of what is compared.
COMPARED = {
    "sat_customer": ("id", "name", "tier", "vip", "note", "_hashdiff", "_op", "_sequence", "_source_ts"),
    "sat_customer_history": ("id", "name", "tier", "vip", "note", "_sequence", "valid_from", "valid_to",
                             "is_current", "is_deleted"),
    "sat_customer_current": ("id", "name", "tier", "vip", "note", "_sequence"),
    "sat_placed": ("id", "customer_id", "amount", "placed_at", "_hashdiff", "_op", "_sequence", "_source_ts"),
    "sat_placed_history": ("id", "customer_id", "amount", "placed_at", "_sequence", "valid_from",
                           "valid_to", "is_current", "is_deleted"),
    "sat_placed_current": ("id", "customer_id", "amount", "placed_at", "_sequence"),
    "scan_current": ("item", "pieces"),
    "hub_customer": ("customer_hk", "id"),
    "hub_order": ("order_hk", "id"),
    "dim_customer": ("customer_hk", "id", "name", "tier", "vip", "note", "valid_from", "valid_to", "is_current"),
    "fct_order": ("placed_hk", "customer_hk", "id", "customer_id", "amount", "placed_at"),
    "feat_customer_day": ("customer_hk", "day", "customer_id", "feature_at", "orders_7d", "spend_7d"),
}  # fmt: skip
GOLD = ("dim_", "fct_", "feat_")


@dataclass(frozen=True)
class Difference:
    """A row that one side has more often than the other."""

    table: str
    row: tuple[Any, ...]
    found: int
    expected: int

    def __str__(self) -> str:
        """Return the difference as one line."""
        return f"{self.table}: {self.row} found {self.found}, expected {self.expected}"


def try_pack(
    spark: SparkSession, folder: Path, pack: Pack, runs: int, deliver: int = 0
) -> list[Difference]:
    """Carry a pack's log in an empty home and return where the tables differ from the oracle's.

    `deliver` seeds how the records come: their order, which of them twice, in which run.
    """
    settings = shop.settings_of(folder)
    shutil.rmtree(settings.home, ignore_errors=True)
    forget(spark)
    events = pack.events()
    for number, part in enumerate(delivered(records(events), runs, Random(deliver))):
        for dataset in shop.COLUMNS:
            lines = [text for name, text in part if name == dataset]
            if lines:
                shop.land(settings, dataset, f"part-{number}", lines)
        run_layers(settings, shop.DOMAIN)
    return differences(stored(spark, settings), expected(events))


def delivered(log: list[tuple[str, str]], runs: int, chance: Random) -> list[list[tuple[str, str]]]:
    """Return the records shuffled, a fifth of them twice, and split at random."""
    log = log + chance.sample(log, len(log) // 5)
    chance.shuffle(log)
    cuts = (
        sorted(chance.sample(range(1, len(log)), min(runs, len(log)) - 1)) if len(log) > 1 else []
    )
    return [log[a:b] for a, b in zip([0, *cuts], [*cuts, len(log)], strict=True)]


def forget(spark: SparkSession) -> None:
    """Empty the session's catalog: names must not outlive their home."""
    for layer in BATCH:
        spark.sql(f"drop database if exists {layer} cascade")


def stored(spark: SparkSession, settings: Settings) -> dict[str, Counter[tuple[Any, ...]]]:
    """Return what the lakehouse holds, each table as a multiset of the compared columns."""
    tables, found = Tables.at(settings), {}
    for label, columns in COMPARED.items():
        table = f"sat_{label}" if label.startswith("scan_") else label
        name = TableName.of("gold" if label.startswith(GOLD) else "silver", shop.DOMAIN, table)
        if label.endswith(("_history", "_current")):
            known = register(spark, settings, [name])
            rows = spark.table(str(name)).select(*columns).toArrow() if known else None
        else:
            rows = tables.read(name, list(columns))
        listed = [] if rows is None else rows.select(list(columns)).to_pylist()
        found[label] = Counter(tuple(row[column] for column in columns) for row in listed)
    return found


def differences(found: dict[str, Counter[tuple[Any, ...]]], wanted: Expected) -> list[Difference]:
    """Return every row that is not as often on both sides."""
    return [
        Difference(table, row, rows[row], wanted.tables[table][row])
        for table, rows in found.items()
        for row in (rows - wanted.tables[table]) + (wanted.tables[table] - rows)
    ]


def shrunk(fails: Callable[[Pack], list[Difference]], pack: Pack) -> tuple[Pack, list[Difference]]:
    """Return the smallest pack that still fails: fewer groups, then fewer steps, no truncates."""
    found = fails(pack)
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(pack):
            differing = fails(candidate)
            if differing:
                pack, found, smaller = candidate, differing, True
                break
    return pack, found


def _smaller(pack: Pack) -> list[Pack]:
    half = len(pack.groups) // 2
    halves = [pack.groups[:half], pack.groups[half:]] if half else []
    candidates = [replace(pack, groups=groups) for groups in halves]
    if pack.truncates:
        candidates.append(replace(pack, truncates=False))
    if pack.steps > 1:
        candidates += [replace(pack, steps=pack.steps // 2), replace(pack, steps=pack.steps - 1)]
    return candidates
