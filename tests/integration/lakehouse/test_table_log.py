"""What the log of a Delta table answers, and the bookmarks of readers in it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lakehouse.runs import bookmarks
from lakehouse.storage import table_log
from lakehouse.storage.tables import TableName, Tables

BRONZE = TableName.of("bronze", "shop", "orders")
EVENTS = TableName.of("silver", "shop", "sat_placed")


@pytest.fixture
def tables(tmp_path):
    return Tables(str(tmp_path))


def append(tables, name, batch, count, application):
    rows = pa.table({"id": list(range(count)), "_batch": [batch] * count})
    tables.append(name, rows, idempotency_key=(application, batch))


def test_a_table_that_is_not_there_is_empty(tables):
    """No table is no rows, no files and no bookmark, not an error."""
    assert table_log.row_count(tables.open(BRONZE)) == 0
    assert table_log.file_count(tables.open(BRONZE)) == 0
    assert table_log.file_statistics(tables.open(BRONZE)) == []
    assert bookmarks.captured_batch(tables, BRONZE) == bookmarks.NONE
    assert table_log.written_between(tables, BRONZE, -1, -1) == table_log.Written(-1, 0, 0)


def test_rows_files_and_bytes_come_from_the_log(tables):
    """Each append is a file with its statistics; a delete of some rows counts them no more."""
    for batch, count in ((3, 2), (5, 4)):
        append(tables, BRONZE, batch, count, bookmarks.CAPTURE)
    table = tables.open(BRONZE)
    files = table_log.file_statistics(table)
    assert sorted((f["num_records"], f["min._batch"], f["max._batch"]) for f in files) == [
        (2, 3, 3), (4, 5, 5),
    ]  # fmt: skip
    size = table_log.table_size(table)
    assert (size.rows, size.files, size.bytes) == (6, 2, sum(f["size_bytes"] for f in files))
    assert table_log.file_sizes(table) == {f["path"]: f["size_bytes"] for f in files}
    table.delete("id > 0")
    assert table_log.row_count(tables.open(BRONZE)) == 2
    emptied = tables.open(BRONZE)
    emptied.delete()
    assert (table_log.row_count(emptied), tables.is_empty(BRONZE)) == (0, True)


def test_what_commits_wrote_is_counted_after_a_version(tables):
    """Rows and bytes are of the commits after the version, up to the other one."""
    for batch in range(3):
        append(tables, BRONZE, batch, batch + 1, bookmarks.CAPTURE)
    written = table_log.written_between(tables, BRONZE, 0, 2)
    newest = sum(
        size
        for path, size in table_log.file_sizes(tables.open(BRONZE)).items()
        if path not in table_log.file_sizes(tables.open(BRONZE, 0))
    )
    assert written == table_log.Written(2, 5, newest)
    assert [len(table_log.commits_after(tables.open(BRONZE), v)) for v in (0, 1, 2)] == [2, 1, 0]
    first, last = (table_log.committed_at(tables.open(BRONZE, v)) for v in (0, 2))
    assert first <= last


def test_a_bookmark_is_committed_with_the_rows_and_stops_a_second_append(tables):
    """The number of the last append is the reader's bookmark; the same append again is none."""
    append(tables, BRONZE, 7, 2, bookmarks.CAPTURE)
    append(tables, EVENTS, 7, 2, str(BRONZE))
    assert bookmarks.captured_batch(tables, BRONZE) == 7
    assert bookmarks.consumed_batch(tables, EVENTS, BRONZE) == 7
    version = tables.version(EVENTS)
    for batch in (6, 7):
        append(tables, EVENTS, batch, 2, str(BRONZE))
    assert tables.version(EVENTS) == version
    assert bookmarks.newest_offset(tables.open(BRONZE)) == 7
    assert bookmarks.newest_offset(tables.open(EVENTS)) == version
    assert bookmarks.applications(tables, "shop") == ["capture", str(BRONZE), str(EVENTS)]
