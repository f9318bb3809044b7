"""Upkeep changes no row and takes no version away that is promised."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakehouse.storage.compaction import FEW, Window, maintain, streamed_version, survey
from lakehouse.storage.restore import is_unchanged_since, restore
from lakehouse.storage.tables import TableName, Tables
from tests.aging import age

NAME = TableName("silver", "shop__sat_placed")


@pytest.fixture
def tables(tmp_path):
    return Tables(str(tmp_path))


def append(tables, batch, mode="append", **options):
    """Write two rows of a batch, and its number as the bookmark."""
    rows = pa.table({"id": [batch, batch + 1000], "day": ["a", "b"], "_batch": [batch] * 2})
    if mode == "append" and not options:
        tables.append(NAME, rows, idempotency_key=("capture", batch), skip_on=("_batch",))
    else:
        write_deltalake(tables.path(NAME), rows, mode=mode, **options)


def window(days=30, streamed=None):
    return Window(days, datetime.now(UTC), streamed)


def rows(tables, version=None):
    table = DeltaTable(tables.path(NAME), version=version).to_pyarrow_table()
    return sorted((row["id"], row["_batch"]) for row in table.to_pylist())


def test_small_files_are_merged_in_the_order_of_their_batches(tables):
    """Many small files become one with the same rows; a reader of changes has nothing to read."""
    for batch in range(FEW + 1):
        append(tables, batch)
    before, version = rows(tables), tables.version(NAME)

    needed = survey(tables, NAME, window())
    assert (needed.small_files, needed.sets_retention, needed.idle) == (FEW + 1, True, False)
    after = maintain(tables, needed, window())

    table = tables.open(NAME)
    assert (rows(tables), table.get_add_actions().num_rows) == (before, 1)
    assert table.transaction_version("capture") == FEW
    files = table.get_add_actions(flatten=True)
    assert [files.column(f"{end}._batch")[0].as_py() for end in ("min", "max")] == [0, FEW]
    assert after == tables.version(NAME) > version
    assert is_unchanged_since(tables, NAME, version)
    log = Path(tables.path(NAME), "_delta_log", f"{version + 2:020}.json").read_text()
    actions = [json.loads(line) for line in log.splitlines()]
    files_moved = [action.get("add") or action.get("remove") for action in actions[1:]]
    assert files_moved
    assert not any(file["dataChange"] for file in files_moved if file)
    assert survey(tables, NAME, window()).idle


def test_few_files_and_partitions_without_many_are_left(tables):
    """Rows of few files are not written again, nor one file a partition and day."""
    for batch in range(FEW):
        append(tables, batch, partition_by=["_batch"])
    assert survey(tables, NAME, window()).small_files == 0
    for _ in range(FEW - 1):
        append(tables, 0, partition_by=["_batch"])
    assert survey(tables, NAME, window()).small_files == FEW
    kept = survey(tables, NAME, window(), "somebody has not read it")
    assert (kept.small_files, kept.kept_why) == (0, "somebody has not read it")


def aged(tables):
    """Return the rows of each version of a table whose versions 0 to 4 are old, 5 to 8 are not."""
    for batch in range(4):
        append(tables, batch)
    append(tables, 4, mode="overwrite")
    age(tables.path(NAME), 35)
    for batch in range(5, 8):
        append(tables, batch)
    append(tables, 8, mode="overwrite")
    return {version: rows(tables, version) for version in range(9)}


def test_every_retained_version_stays_readable(tables):
    """What stood when the window began, and all since, is there; what only older ones need is not."""
    expected = aged(tables)

    needed = survey(tables, NAME, window())
    assert (len(needed.expired_files), needed.log_files) == (4, 4)
    maintain(tables, needed, window())

    kept = {version: rows(tables, version) for version in range(4, 9)}
    assert kept == {version: expected[version] for version in range(4, 9)}
    parts = list(Path(tables.path(NAME)).glob("*.parquet"))
    assert len(parts) == 5
    assert survey(tables, NAME, window()).idle
    restore(tables, NAME, 4, ["capture"])
    assert rows(tables) == expected[4]
    assert tables.open(NAME).transaction_version("capture") == 3


def test_nothing_goes_within_a_longer_window(tables):
    """The same table keeps all of it for those who keep versions for longer."""
    expected = aged(tables)
    maintain(tables, survey(tables, NAME, window(40)), window(40))
    assert {version: rows(tables, version) for version in range(9)} == expected


def test_a_clock_does_not_decide_about_retained_files(tables):
    """Files are kept for the versions that need them, however old they and their removal look."""
    expected = aged(tables)
    needed = survey(tables, NAME, window())
    for path in Path(tables.path(NAME)).glob("*.parquet"):
        path.touch()
    maintain(tables, needed, window())
    assert rows(tables, 4) == expected[4]


def test_a_killed_writes_file_goes_when_it_is_old(tables):
    """A file that no version has is removed after the days of the window, not before."""
    append(tables, 0)
    stray = Path(tables.path(NAME), "part-stray.parquet")
    stray.write_bytes(b"half")
    assert survey(tables, NAME, window()).expired_files == []
    age(tables.path(NAME), 40)
    assert survey(tables, NAME, window()).expired_files == [stray.name]
    maintain(tables, survey(tables, NAME, window()), window())
    assert not stray.exists()
    assert rows(tables) == [(0, 0), (1000, 0)]


def test_a_stream_finds_what_it_has_not_read(tables, tmp_path):
    """The version at which a stream stands, and all since, stay though they are old."""
    expected = aged(tables)
    offsets = tmp_path / "checkpoint" / "offsets"
    assert streamed_version(offsets.parent) is None
    offsets.mkdir(parents=True)
    for batch, version in ((9, 1), (10, 2)):
        place = {"sourceVersion": 1, "reservoirVersion": version, "index": -1}
        (offsets / str(batch)).write_text(f'v1\n{{"batchWatermarkMs":0}}\n{json.dumps(place)}')
    kept = window(streamed=streamed_version(offsets.parent))
    assert kept.streamed == 2
    maintain(tables, survey(tables, NAME, kept), kept)
    assert {v: rows(tables, v) for v in range(2, 9)} == {v: expected[v] for v in range(2, 9)}
    with pytest.raises(Exception, match="log segment"):
        rows(tables, 1)


def test_the_window_begins_with_the_version_that_stood_then(tables):
    """A table that has not changed for a year has one promised version: the newest."""
    append(tables, 0)
    append(tables, 1)
    age(tables.path(NAME), 365)
    assert window().floor(tables, NAME) == 1
    early = Window(30, datetime.now(UTC) - timedelta(days=400))
    assert early.floor(tables, NAME) == 0
