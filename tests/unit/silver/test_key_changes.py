"""A key change: the row ends under its old key and goes on under the new one, and is followed."""

from __future__ import annotations

import random

import pytest

from silver.key_changes import keys_of_one_row


def groups(pairs):
    """Return the keys that belong to one row, as sets."""
    rows = {}
    for key, stands_for in keys_of_one_row(pairs).items():
        rows.setdefault(stands_for, set()).add(key)
    return {frozenset(keys) for keys in rows.values()}


@pytest.mark.parametrize(
    ("pairs", "rows"),
    [
        ([], []),
        ([(b"a", None), (b"b", None)], [{b"a"}, {b"b"}]),
        ([(b"b", b"a")], [{b"a", b"b"}]),
        ([(b"b", b"a"), (b"c", b"b"), (b"d", None)], [{b"a", b"b", b"c"}, {b"d"}]),
        # moved away and back, and onto itself
        ([(b"b", b"a"), (b"a", b"b"), (b"c", b"c")], [{b"a", b"b"}, {b"c"}]),
        # two rows that had one key, one after the other, cannot be distinguished by keys
        ([(b"b", b"a"), (b"c", b"a")], [{b"a", b"b", b"c"}]),
    ],
)
def test_keys_that_a_row_moved_between_belong_together(pairs, rows):
    """One key stands for all of them; a key that never moved stands for itself."""
    assert groups(pairs) == {frozenset(keys) for keys in rows}


def test_the_order_of_the_changes_does_not_matter():
    """A chain of a thousand moves is one row however it is shuffled."""
    keys = [bytes([n // 256, n % 256]) for n in range(1000)]
    pairs = list(zip(keys[1:], keys, strict=False))
    random.Random(1).shuffle(pairs)
    assert groups(pairs) == {frozenset(keys)}
