"""An unchanged (TOAST) value is that of the row's event before, in the source's order."""

from __future__ import annotations

import itertools

import pytest

from silver.unchanged_values import Log

KEY, OTHER = b"k", b"o"


def event(sequence, op="u", *, key=KEY, moved_from=None, **values):
    """Return an event of two columns; a column that is not given is unchanged."""
    return {
        "hk": key, "_sequence": sequence, "_op": op, "_moved_from": moved_from,
        "_unavailable": [name for name in ("note", "photo") if name not in values] or None,
        "note": values.get("note"), "photo": values.get("photo"),
    }  # fmt: skip


def log(*events):
    """Return the log of some events."""
    return Log(events, "hk", ("note", "photo"))


def test_a_value_is_that_of_the_event_before():
    """Each column on its own: the last event that carried it, null included."""
    events = log(
        event("1", "c", note="a", photo="x"),
        event("2", note="b"),
        event("3", photo=None),
        event("4"),
    )
    values = {s: (events.value((KEY, s), "note"), events.value((KEY, s), "photo")) for s in "1234"}
    assert values == {"1": ("a", "x"), "2": ("b", "x"), "3": ("b", None), "4": ("b", None)}


def test_without_an_event_before_a_value_is_null():
    """The log of a table may begin with an update; the event before may come late."""
    update = event("5", note="b")
    assert log(update).value((KEY, "5"), "photo") is None
    assert log(update, event("4", "c", note="a", photo="x")).value((KEY, "5"), "photo") == "x"


def test_any_order_of_events_gives_the_same_values():
    """The order is that of positions, not of arrival."""
    events = [event("1", "c", note="a", photo="x"), event("2"), event("3", photo="y"), event("4")]
    for order in itertools.permutations(events):
        arrived = log(*order)
        assert [arrived.value((KEY, s), "photo") for s in "1234"] == ["x", "x", "y", "y"]


def test_a_value_is_followed_to_the_key_that_the_row_had_before():
    """A changed key: the value is the last one under the old key before the change, not after."""
    events = log(
        event("1", "c", note="a", photo="x"),
        event("2", "d"),
        event("2", "c", key=OTHER, moved_from=KEY, note="b"),
        event("3", "c", note="new row", photo="z"),
        event("4", key=OTHER),
    )
    assert events.value((OTHER, "2"), "photo") == "x"
    assert events.value((OTHER, "4"), "photo") == "x"
    assert events.value((OTHER, "4"), "note") == "b"


def test_a_delete_has_no_values_of_its_own():
    """The event before a delete is looked at, since a delete may carry its key alone."""
    events = log(event("1", "c", note="a", photo="x"), event("2", "d", note=None), event("3"))
    assert events.value((KEY, "3"), "note") == "a"


@pytest.mark.parametrize("back", [KEY, OTHER])
def test_events_that_point_at_each_other_end(back):
    """A log with keys that moved in a circle gives null rather than never ending."""
    events = log(event("1", moved_from=OTHER), event("1", key=OTHER, moved_from=back))
    assert events.value((KEY, "1"), "note") is None
