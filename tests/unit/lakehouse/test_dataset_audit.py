"""Dataset rules without a JVM: rows in memory are measured in one aggregate and compared."""

from __future__ import annotations

import random
from datetime import timedelta

import pyarrow as pa

from contracts.model.dataset_rule import History
from lakehouse.quality.dataset_audit import measurement, outcome
from lakehouse.quality.dataset_audit.measurement import measure
from tests.dataset_measures import KINDS, NOON, ROWS, RULES, check, rule


def test_rows_in_memory_are_read_once_or_twice(monkeypatch):
    """All rules are one aggregate once the bins are known, and one more when they are chosen."""
    queries = []
    run = measurement._by_duckdb
    monkeypatch.setattr(
        measurement, "_by_duckdb", lambda rows, wanted: queries.append(1) or run(rows, wanted)
    )
    first = measure(ROWS, RULES, KINDS, {})
    check(first)
    assert len(queries) == 2
    again = measure(ROWS, RULES, KINDS, first.distributions)
    assert len(queries) == 3
    assert again.distributions == first.distributions
    check(again)


def test_history_is_silent_until_there_are_enough_runs_and_then_catches_the_odd_one():
    """With too few runs nothing is unusual; then what is far outside the usual spread is."""
    how = History(window=10, minimum=5)
    steady = [100, 103, 98, 101, 99, 102, 100]
    assert outcome.usual(steady[:4], how) is None
    usual = outcome.usual(steady, how)
    assert usual.low < 97 < usual.high
    assert not usual.low <= 180 <= usual.high
    assert not usual.low <= 40 <= usual.high
    # One wild run among the good ones does not make the next wild one usual.
    assert not usual.low <= 180 <= outcome.usual([*steady, 5000], how).high < 180
    # A series without any spread leaves room for its tolerance.
    assert outcome.usual([100] * 8, how).high > 110


def test_history_looks_back_as_far_as_its_window():
    """What is older than the window is forgotten."""
    how = History(window=5, minimum=3)
    assert outcome.usual([1] * 50 + [100] * 5, how).median == 100


def test_shift_is_small_for_the_same_and_large_for_another_distribution():
    """The stability index of samples of one distribution is below 0.1, of another one above 0.25."""
    source = random.Random(5)
    kinds, rules = {"x": "double"}, [rule("distributionShift", "x")]

    def sample(mean):
        rows = pa.table({"x": [source.gauss(mean, 1) for _ in range(4000)]})
        return measure(rows, rules, kinds, earlier).distributions["x"]

    earlier = {}
    earlier["x"] = sample(0)
    assert outcome.shift(earlier["x"].counts, sample(0).counts) < 0.1
    assert outcome.shift(earlier["x"].counts, sample(1).counts) > 0.25
    assert outcome.shift([0, 0], [1, 1]) == 0.0


def test_bounds_and_percent():
    """A percentage is of the rows measured, and the message states the requirement."""
    nulls = rule("nullValues", "amount", unit="percent", operator="mustBeLessThan", limit=25)
    late = rule("freshness", "at", unit="h", operator="mustBeLessOrEqualTo", limit=2)
    measures = measure(ROWS, [nulls, late], KINDS, {})
    now = {"clock": NOON + timedelta(hours=2)}
    first, second = outcome.outcomes([nulls, late], measures, {}, {}, now, {})
    assert not first.good
    assert first.message == "nullValues amount: 25 percent, must be less than 25 percent"
    assert second.good
    now = {"clock": NOON + timedelta(hours=3)}
    assert not outcome.outcomes([late], measures, {}, {}, now, {})[0].good
