"""The recorded change log gives what the database held: column by column, in any order."""

from __future__ import annotations

import random

import pytest

from cli.flow import carry
from lakehouse.catalog import register
from lakehouse.tables import TableName
from tests import recorded

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture
def shop(catalog, settings):
    """Settings of an empty home with the contracts of the recorded tables."""
    recorded.write_contracts(settings.contracts)
    return settings


def current(spark, settings, table):
    """Return the current rows of a table in silver."""
    name = TableName.of("silver", recorded.DOMAIN, f"sat_{table}_current")
    register(spark, settings, [name])
    return [row.asDict() for row in spark.table(str(name)).collect()]


def differences(spark, settings, table, stage):
    """Return where the lakehouse differs from the truth of a stage: key, column, found, expected."""
    found = recorded.comparable(current(spark, settings, table), table, stage)
    expected = recorded.truth(table, stage)
    keys = recorded.KEYS[table]
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
def test_the_whole_log_gives_the_final_state(spark, shop, table):
    """All records of a table at once, as one batch."""
    recorded.land(shop, table, "all", recorded.records(table))
    carry(shop, recorded.DOMAIN, ("bronze", "silver"))
    assert differences(spark, shop, table, 6) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_repetition_and_split_gives_the_final_state(spark, shop, seed):
    """Records of all tables shuffled, a fifth of them twice, split into runs of any size."""
    chance = random.Random(seed)
    for table in recorded.KEYS:
        rows = recorded.records(table)
        rows += chance.sample(rows, len(rows) // 5)
        chance.shuffle(rows)
        cuts = sorted(chance.sample(range(len(rows)), 3))
        for part, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
            recorded.land(shop, table, f".{part}", rows[start:end])
    for part in range(4):
        for table in recorded.KEYS:
            folder = shop.landing / recorded.DOMAIN / table
            (folder / f".{part}.jsonl").rename(folder / f"part-{part}.jsonl")
        carry(shop, recorded.DOMAIN, ("bronze", "silver"))
    for table in recorded.KEYS:
        assert differences(spark, shop, table, 6) == [], table
