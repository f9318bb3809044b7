"""Which rows a merge writes and deletes: pure, on rows in memory."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lakehouse.storage.merge import Merge

SCHEMA = pa.schema([("key", pa.int64()), ("scope", pa.string()), ("value", pa.string()),
                    ("_batch", pa.int64())])  # fmt: skip
STORED = [(1, "a", "x", 1), (2, "a", "y", 1), (3, "b", None, 1)]


def table(rows, deleted=None):
    columns = list(zip(*rows, strict=True)) or [[] for _ in SCHEMA]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    stored = pa.table(arrays, schema=SCHEMA)
    if deleted is None:
        return stored
    return stored.append_column("_deleted", pa.array(deleted, pa.bool_()))


def changes(derived, deleted=None, **options):
    """Return (row, whether it is deleted) of each change, by key."""
    merge = Merge(SCHEMA.names, ["key"], ignored=["_batch"], **options)
    deleted = [False] * len(derived) if deleted is None else deleted
    rows = merge.changes(table(derived, deleted), table(STORED)).to_pylist()
    return {row["key"]: (row["value"], row["_deleted"]) for row in rows}


@pytest.mark.parametrize(
    ("derived", "deleted", "expected"),
    [
        ([(1, "a", "x", 9)], None, {}),  # only an ignored column differs
        ([(1, "a", "z", 9)], None, {1: ("z", False)}),
        ([(1, "a", None, 9)], None, {1: (None, False)}),
        ([(3, "b", None, 9)], None, {}),  # null is null
        ([(3, "b", "w", 9)], None, {3: ("w", False)}),
        ([(4, "c", "n", 9)], None, {4: ("n", False)}),
        ([(4, "c", None, 9)], None, {4: (None, False)}),  # new although all of it is null
        ([(2, "a", "y", 9)], [True], {2: ("y", True)}),
        ([(5, "c", "y", 9)], [True], {}),  # nothing is stored under the key
    ],
)
def test_only_what_differs_is_written(derived, deleted, expected):
    """A row is written where it is new or differs, deleted where it is stored; else left alone."""
    assert changes(derived, deleted) == expected


def test_a_stored_row_of_a_derived_scope_that_was_not_derived_is_deleted():
    """Scope `a` was derived with key 1 only: key 2 goes; scope `b` is not touched."""
    assert changes([(1, "a", "x", 9)], scope="scope") == {2: ("y", True)}


def test_the_types_are_those_of_the_derived_rows():
    """DuckDB's own types do not reach the table."""
    merge = Merge(SCHEMA.names, ["key"])
    rows = merge.changes(table([(7, "c", "n", 1)], [False]), table(STORED))
    assert rows.schema == SCHEMA.append(pa.field("_deleted", pa.bool_()))
