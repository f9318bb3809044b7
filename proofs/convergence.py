"""Random logs, shuffled, repeated and split over runs, give the tables that plain Python expects."""

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

# The columns compared of each table; the others are bookkeeping: batches, flags, hashes of these.
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
    """A row that is stored more often, or less often, than expected."""

    table: str
    row: tuple[Any, ...]
    stored: int
    expected: int

    def __str__(self) -> str:
        """Return the difference as one line."""
        return f"{self.table}: {self.row} stored {self.stored}, expected {self.expected}"


def try_pack(
    spark: SparkSession, folder: Path, pack: Pack, runs: int, deliver: int = 0
) -> list[Difference]:
    """Load a pack's log into an empty home; return where the tables differ from the oracle's.

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
    """Return the tables of the lakehouse, each as a multiset of rows of the compared columns."""
    tables, content = Tables.at(settings), {}
    for label, columns in COMPARED.items():
        table = f"sat_{label}" if label.startswith("scan_") else label
        name = TableName.of("gold" if label.startswith(GOLD) else "silver", shop.DOMAIN, table)
        if label.endswith(("_history", "_current")):
            registered = register(spark, settings, [name])
            rows = spark.table(str(name)).select(*columns).toArrow() if registered else None
        else:
            rows = tables.read(name, list(columns))
        listed = [] if rows is None else rows.select(list(columns)).to_pylist()
        content[label] = Counter(tuple(row[column] for column in columns) for row in listed)
    return content


def differences(
    content: dict[str, Counter[tuple[Any, ...]]], expectation: Expected
) -> list[Difference]:
    """Return every row that is not stored as often as expected."""
    return [
        Difference(table, row, rows[row], expectation.tables[table][row])
        for table, rows in content.items()
        for row in (rows - expectation.tables[table]) + (expectation.tables[table] - rows)
    ]


def shrunk(fails: Callable[[Pack], list[Difference]], pack: Pack) -> tuple[Pack, list[Difference]]:
    """Return the smallest pack that still fails: fewer groups, then fewer steps, no truncates."""
    left = fails(pack)
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(pack):
            differing = fails(candidate)
            if differing:
                pack, left, smaller = candidate, differing, True
                break
    return pack, left


def _smaller(pack: Pack) -> list[Pack]:
    half = len(pack.groups) // 2
    halves = [pack.groups[:half], pack.groups[half:]] if half else []
    candidates = [replace(pack, groups=groups) for groups in halves]
    if pack.truncates:
        candidates.append(replace(pack, truncates=False))
    if pack.steps > 1:
        candidates += [replace(pack, steps=pack.steps // 2), replace(pack, steps=pack.steps - 1)]
    return candidates
