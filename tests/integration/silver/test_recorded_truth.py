"""The recorded change log gives what the database held: column by column, in any order."""

from __future__ import annotations

import os
import random

import pytest

from lakehouse.storage.catalog import register
from lakehouse.storage.tables import TableName
from pipeline.run import run_layers
from tests import recorded

pytestmark = [pytest.mark.spark, pytest.mark.slow]

RUNS = 3


@pytest.fixture
def shop(catalog, settings):
    """Settings of an empty home with the contracts of the recorded tables."""
    recorded.write_contracts(settings.contracts)
    return settings


def rows(spark, settings, table, view):
    """Return the rows of a table's view in silver."""
    name = TableName.of("silver", recorded.DOMAIN, f"sat_{table}_{view}")
    register(spark, settings, [name])
    return [row.asDict() for row in spark.table(str(name)).collect()]


def as_of(history, table, position):
    """Return the rows that a history had at a position of the source's log."""
    latest = {}
    for row in sorted(history, key=lambda row: row["_sequence"]):
        if row["_sequence"] <= position:
            latest[bytes(row[f"{table}_hk"])] = row
    alive = [row for row in latest.values() if not row["is_deleted"]]
    return [row for row in alive for _ in range(row.get("copies", 1))]


def differences(found, table, stage):
    """Return where rows differ from the truth of a stage: key, column, found, expected."""
    found = recorded.comparable(found, table, stage)
    expected = recorded.truth(table, stage)
    keys = recorded.KEYS[table]
    if not keys:
        return [("too many", row) for row in found - expected] + [
            ("missing", row) for row in expected - found
        ]
    ours = {tuple(dict(row)[key] for key in keys): dict(row) for row in found - expected}
    theirs = {tuple(dict(row)[key] for key in keys): dict(row) for row in expected - found}
    return [
        (key, column, str(mine.get(column))[:60], str(true.get(column))[:60])
        for key in sorted(ours | theirs)
        for mine, true in [(ours.get(key, {}), theirs.get(key, {}))]
        for column in mine | true
        if mine.get(column) != true.get(column)
    ]


@pytest.mark.parametrize("table", recorded.KEYS)
def test_the_whole_log_gives_every_state(spark, shop, table):
    """All records of a table at once; its history then tells each stage as it was."""
    recorded.land(shop, table, "all", recorded.records(table))
    run_layers(shop, recorded.DOMAIN, ("bronze", "silver"))
    assert differences(rows(spark, shop, table, "current"), table, 6) == []
    history = rows(spark, shop, table, "history")
    for stage in recorded.stages():
        found = as_of(history, table, recorded.end_of(stage))
        assert differences(found, table, stage) == [], stage


def test_any_order_repetition_and_split_gives_the_final_state(spark, shop):
    """Records of all tables shuffled, a fifth of them twice, split into runs of any size."""
    chance = random.Random(os.environ.get("RECORDED_SEED", "1"))
    for table in recorded.KEYS:
        log = recorded.records(table)
        log += chance.sample(log, len(log) // 5)
        chance.shuffle(log)
        cuts = sorted(chance.sample(range(len(log)), RUNS - 1))
        for part, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(log)], strict=True)):
            recorded.land(shop, table, f".{part}", log[start:end])
    for part in range(RUNS):
        for table in recorded.KEYS:
            folder = shop.landing / recorded.DOMAIN / table
            (folder / f".{part}.jsonl").rename(folder / f"part-{part}.jsonl")
        run_layers(shop, recorded.DOMAIN, ("bronze", "silver"))
    for table in recorded.KEYS:
        assert differences(rows(spark, shop, table, "current"), table, 6) == [], table
