"""Merging derived rows by key without Spark."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.storage.merge import Merge

SCHEMA = pa.schema(
    [
        ("month", pa.date32()),
        ("key", pa.binary()),
        ("scope", pa.int64()),
        ("value", pa.decimal128(12, 2)),
        ("_batch", pa.int64()),
    ]
)
MERGE = Merge(SCHEMA.names, ["month", "key"], partition="month", ignored=["_batch"])


def keyed(rows):
    """Rows by key, each a tuple in the schema's order."""
    return {row[:2]: row for row in rows}


def arrow(rows, *, deleted=None):
    columns = list(zip(*rows, strict=True)) or [[] for _ in SCHEMA.names]
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], SCHEMA)
    flags = pa.array([False] * len(rows) if deleted is None else deleted, pa.bool_())
    return table.append_column("_deleted", flags)


def stored(path, rows, partition=("month",)):
    write_deltalake(path, arrow(rows).drop_columns(["_deleted"]), partition_by=list(partition))
    return DeltaTable(path)


def read(path):
    rows = pa.table(DeltaTable(path).scan()).select(SCHEMA.names).to_pylist()
    return {tuple(row.values())[:2]: tuple(row.values()) for row in rows}


ROW = st.tuples(
    st.sampled_from([date(2017, 1, 1), date(2017, 2, 1)]),
    st.binary(min_size=1, max_size=1),
    st.integers(0, 2),
    st.none() | st.decimals(0, 9, places=2),
    st.integers(0, 3),
)
ROWS = st.lists(ROW, max_size=12).map(lambda rows: list(keyed(rows).values()))


@given(before=ROWS, derived=ROWS, gone=st.data())
@settings(max_examples=60, deadline=None)
def test_a_merge_leaves_what_a_dictionary_would(tmp_path_factory, before, derived, gone):
    """Derived rows replace those of their keys, deleted keys vanish, all others stay as they were."""
    path = tmp_path_factory.mktemp("merge") / "t"
    deleted = [gone.draw(st.booleans()) for _ in derived]
    expected = keyed(before)
    for row, is_deleted in zip(derived, deleted, strict=True):
        if is_deleted:
            expected.pop(row[:2], None)
        elif expected.get(row[:2], row)[:-1] != row[:-1] or row[:2] not in expected:
            expected[row[:2]] = row
    MERGE.into(stored(path, before), arrow(derived, deleted=deleted))
    assert read(path) == expected


@given(before=ROWS, derived=ROWS)
@settings(max_examples=40, deadline=None)
def test_a_scope_is_replaced_as_a_whole(tmp_path_factory, before, derived):
    """Of a scope of which anything was derived, only what was derived is left."""
    path = tmp_path_factory.mktemp("scope") / "t"
    scopes = {row[2] for row in derived}
    expected = {key: row[:-1] for key, row in keyed(before).items() if row[2] not in scopes}
    expected |= {key: row[:-1] for key, row in keyed(derived).items()}
    table = stored(path, before, partition=())
    Merge(SCHEMA.names, ["month", "key"], scope="scope", ignored=["_batch"]).into(
        table, arrow(derived)
    )
    assert {key: row[:-1] for key, row in read(path).items()} == expected


def test_nothing_new_is_no_commit(tmp_path):
    """The same rows of a later batch change nothing, so the table keeps its version."""
    row = (date(2017, 1, 1), b"a", 1, Decimal("2.50"), 1)
    table = stored(tmp_path / "t", [row])
    assert MERGE.into(table, arrow([(*row[:-1], 2)])) == 0
    assert DeltaTable(tmp_path / "t").version() == table.version()


@pytest.mark.parametrize("deleted", [True, False])
def test_a_row_of_the_wrong_type_is_refused(tmp_path, deleted):
    """A column that cannot be stored stops the merge before anything is written."""
    table = stored(tmp_path / "t", [(date(2017, 1, 1), b"a", 1, Decimal("2.50"), 1)])
    wrong = arrow([(date(2017, 1, 1), b"b", 1, None, 1)], deleted=[deleted]).drop_columns(["value"])
    with pytest.raises(Exception, match="value"):
        MERGE.into(table, wrong)
    assert DeltaTable(tmp_path / "t").version() == table.version()
