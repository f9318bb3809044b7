"""The recorded change log gives what the database had: column by column, in any order."""

from __future__ import annotations

import os
import random

import pytest

from lakehouse.settings import Settings
from lakehouse.storage.catalog import register
from lakehouse.storage.tables import TableName
from pipeline.run import run_layers
from tests import recorded

pytestmark = [pytest.mark.spark, pytest.mark.slow]

RUNS = 3


@pytest.fixture(scope="module")
def whole(spark, tmp_path_factory):
    """Settings of a home that loaded all records of all tables in one run."""
    folder = tmp_path_factory.mktemp("recorded")
    settings = Settings(
        home=folder / "home", contracts=folder / "contracts", dbt_project=folder / "dbt"
    )
    recorded.write_contracts(settings.contracts)
    for table in recorded.KEYS:
        recorded.land(settings, table, "all", recorded.records(table))
    run_layers(settings, recorded.DOMAIN, ("bronze", "silver"))
    return settings


def rows(spark, settings, table, view):
    """Return the rows of a table's view in silver."""
    name = TableName.of("silver", recorded.DOMAIN, f"sat_{table}_{view}")
    register(spark, settings, [name])
    return [row.asDict() for row in spark.table(str(name)).collect()]


def as_of(history, table, position):
    """Return the rows that a history, ordered by position, had at a position of the source's log."""
    latest = {}
    for row in history:
        if row["_sequence"] > position:
            break
        latest[bytes(row[f"{table}_hk"])] = row
    alive = [row for row in latest.values() if not row["is_deleted"]]
    return [row for row in alive for _ in range(row.get("copies", 1))]


def differences(actual, table, stage):
    """Return where rows differ from the truth of a stage: key, column, actual, expected."""
    actual = recorded.comparable(actual, table, stage)
    expected = recorded.truth(table, stage)
    keys = recorded.KEYS[table]
    if not keys:
        return [("too many", row) for row in actual - expected] + [
            ("missing", row) for row in expected - actual
        ]
    ours = {tuple(dict(row)[key] for key in keys): dict(row) for row in actual - expected}
    theirs = {tuple(dict(row)[key] for key in keys): dict(row) for row in expected - actual}
    return [
        (key, column, str(mine.get(column))[:60], str(true.get(column))[:60])
        for key in sorted(ours | theirs)
        for mine, true in [(ours.get(key, {}), theirs.get(key, {}))]
        for column in mine | true
        if mine.get(column) != true.get(column)
    ]


@pytest.mark.parametrize("table", recorded.KEYS)
def test_the_whole_log_gives_every_state(catalog, whole, table):
    """All records at once; the history of a table then gives each stage as it was."""
    assert differences(rows(catalog, whole, table, "current"), table, 6) == []
    history = sorted(rows(catalog, whole, table, "history"), key=lambda row: row["_sequence"])
    for stage in recorded.stages():
        state = as_of(history, table, recorded.end_of(stage))
        assert differences(state, table, stage) == [], stage


def test_any_order_repetition_and_split_gives_the_final_state(catalog, settings):
    """Records of all tables shuffled, a fifth of them twice, split into runs of any size."""
    recorded.write_contracts(settings.contracts)
    chance = random.Random(os.environ.get("RECORDED_SEED", "1"))
    for table in recorded.KEYS:
        log = recorded.records(table)
        log += chance.sample(log, len(log) // 5)
        chance.shuffle(log)
        cuts = sorted(chance.sample(range(len(log)), RUNS - 1))
        for part, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(log)], strict=True)):
            recorded.land(settings, table, f".{part}", log[start:end])
    for part in range(RUNS):
        for table in recorded.KEYS:
            folder = settings.landing / recorded.DOMAIN / table
            (folder / f".{part}.jsonl").rename(folder / f"part-{part}.jsonl")
        run_layers(settings, recorded.DOMAIN, ("bronze", "silver"))
    for table in recorded.KEYS:
        assert differences(rows(catalog, settings, table, "current"), table, 6) == [], table
