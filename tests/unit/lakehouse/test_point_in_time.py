"""Point-in-time joins on rows in memory: the newest usable row, ties, age, and what is filtered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lakehouse.point_in_time import (
    FEW_KEYS,
    MICROSECONDS,
    FeatureSet,
    as_of,
    file_filter,
    instants,
)
from lakehouse.storage.tables import TableName

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SET = FeatureSet("spend", TableName("gold", "shop__feat_spend"), ("customer",), "at", ("spent",))
AGED = FeatureSet(SET.name, SET.table, SET.entity, SET.timestamp, SET.columns, HOUR)


def features(*rows):
    """Return feature rows of (customer, instant, spent, _batch)."""
    columns = list(zip(*rows, strict=True)) or [[], [], [], []]
    kinds = (pa.int64(), MICROSECONDS, pa.int64(), pa.int64())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.table(arrays, names=["customer", "at", "spent", "_batch"])


def times(*values):
    return pa.chunked_array([pa.array(values, MICROSECONDS)])


def spent(feature_set, entities, stored, ties=("_batch",)):
    """Return the feature of each (customer, instant)."""
    customers, ats = zip(*entities, strict=True)
    keys = pa.table({"customer": pa.array(customers, pa.int64())})
    rows = as_of(feature_set, keys, times(*ats), stored, list(ties))
    return rows["spent"].to_pylist()


def test_the_newest_row_up_to_and_with_the_instant_is_taken_in_entity_order():
    """No row of the future, none of another key; entities keep order and repetitions."""
    stored = features((1, NOON, 10, 1), (1, NOON + HOUR, 20, 2), (2, NOON, 30, 1))
    entities = [
        (1, NOON + 2 * HOUR), (2, NOON), (1, NOON), (1, NOON - timedelta(microseconds=1)),
        (1, NOON), (3, NOON), (None, NOON),
    ]  # fmt: skip
    assert spent(SET, entities, stored) == [20, 30, 10, None, 10, None, None]


def test_of_two_rows_of_one_instant_the_later_load_is_taken():
    """The tie is broken by the batch, else by the features, never by the order of the rows."""
    rows = [(1, NOON, 10, 2), (1, NOON, 99, 1)]
    for stored in (features(*rows), features(*reversed(rows))):
        assert spent(SET, [(1, NOON)], stored) == [10]
        assert spent(SET, [(1, NOON)], stored, ties=()) == [99]


@pytest.mark.parametrize(
    ("age", "expected"), [(HOUR, 10), (HOUR + timedelta(microseconds=1), None)]
)
def test_a_row_older_than_the_maximum_age_is_not_used(age, expected):
    """The age is inclusive to the microsecond; an older row is not a fallback."""
    assert spent(AGED, [(1, NOON + age)], features((1, NOON, 10, 1))) == [expected]


def test_the_filter_keeps_what_an_entity_may_need():
    """Times are bounded by the newest instant and the maximum age, keys are listed, many by range."""
    keys = pa.table({"customer": pa.array([2, 1, 2, None], pa.int64())})
    at = times(NOON, NOON + HOUR, NOON, NOON)
    condition = file_filter(AGED, keys, at)
    assert "\"at\" <= '2024-05-01T13:00:00+00:00'" in condition
    assert "\"at\" >= '2024-05-01T11:00:00+00:00'" in condition
    assert '"customer" in (2, 1)' in condition
    many = pa.table({"customer": pa.array(range(FEW_KEYS + 1), pa.int64())})
    assert '"customer" between 0 and 2000' in file_filter(SET, many, times(*[NOON] * 2001))


@pytest.mark.parametrize("keys", [[], [None]])
def test_without_entities_nothing_is_read(keys):
    """No instant, or no key at all: the filter keeps no row."""
    table = pa.table({"customer": pa.array(keys, pa.int64())})
    assert file_filter(SET, table, times(*[NOON for _ in keys])) == "false"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(["2024-05-01T14:00:00+02:00", "2024-05-01 12:00", " ", None]),
         [NOON, NOON, None, None]),
        (pa.array([NOON.date()]), [NOON.replace(hour=0)]),
        (pa.array([1_714_564_800_000_000_999], pa.timestamp("ns")), [NOON]),
    ],
)  # fmt: skip
def test_instants_are_utc_and_never_move_into_the_future(values, expected):
    """Text, dates and nanoseconds become microseconds in UTC; finer digits are cut."""
    assert instants(pa.chunked_array([values])).to_pylist() == expected


def test_what_is_no_time_is_refused():
    """A number is no instant."""
    with pytest.raises(pa.ArrowInvalid, match="int64 is no time"):
        instants(pa.chunked_array([pa.array([1])]))
