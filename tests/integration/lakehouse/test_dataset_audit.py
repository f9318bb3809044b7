"""Dataset rules: measured in one aggregate by either engine, judged by bounds or by history."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from contracts.model.dataset_rule import DatasetRule, History
from lakehouse.quality.dataset_audit import history, measurement, outcome
from lakehouse.quality.dataset_audit.measurement import measure
from lakehouse.runs.ledger import Ledger, Step
from lakehouse.storage.tables import TableName, Tables

KINDS = {"amount": "double", "shop": "string", "at": "timestamp"}
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def rule(metric, *columns, **more):
    """Return a rule that only has to be measured, unless bounds are given."""
    return DatasetRule(metric, columns, **({"operator": "mustBe", "limit": 0} | more))


RULES = [
    rule("rowCount"),
    rule("nullValues", "amount"),
    rule("missingValues", "shop", values=("", "?")),
    rule("duplicateValues", "shop", "amount"),
    rule("distinctValues", "shop"),
    rule("sum", "amount"),
    rule("freshness", "at", unit="h"),
    rule("distributionShift", "amount", bins=4),
    rule("distributionShift", "shop"),
]
ROWS = pa.table(
    {
        "amount": [1.0, 1.0, 2.0, 3.0, None, float("nan"), 4.0, 8.0],
        "shop": ["a", "a", "?", "b", "b", "", None, "c"],
        "at": pa.array([NOON - timedelta(hours=h) for h in range(8)], pa.timestamp("us", tz="UTC")),
    }
)


def check(found):
    """Compare with what was counted by hand."""
    said = {key: value for key, value in found.values.items() if not key.startswith("sum")}
    assert said == {
        "rowCount": 8,
        "nullValues amount": 2,  # NaN is no value either
        "missingValues shop ('', '?')": 3,
        "duplicateValues shop,amount": 1,
        "distinctValues shop": 5,
        "freshness h at": NOON.timestamp() * 1e6,
    }
    assert sum(found.distributions["amount"].counts) == 6
    shops = found.distributions["shop"]
    assert dict(zip([*shops.cuts, "other"], shops.counts, strict=True)) == {
        "": 1, "?": 1, "a": 2, "b": 2, "c": 1, "other": 0,
    }  # fmt: skip


def test_measures_in_memory_and_how_often_the_rows_are_read(monkeypatch):
    """All rules are one aggregate once the bins are known, and one more when they are chosen."""
    asked = []
    run = measurement._by_duckdb
    monkeypatch.setattr(
        measurement, "_by_duckdb", lambda rows, wanted: asked.append(1) or run(rows, wanted)
    )
    first = measure(ROWS, RULES, KINDS, {})
    check(first)
    assert len(asked) == 2
    again = measure(ROWS, RULES, KINDS, first.distributions)
    assert len(asked) == 3
    assert again.distributions == first.distributions
    check(again)


@pytest.mark.spark
def test_spark_measures_the_same(spark):
    """A large batch is measured by Spark, and the same comes out."""
    rows = spark.createDataFrame(ROWS)
    found = measure(rows, RULES, KINDS, {})
    check(found)
    assert found.values == pytest.approx(measure(ROWS, RULES, KINDS, {}).values, nan_ok=True)
    assert measure(rows, RULES, KINDS, found.distributions).distributions == found.distributions


def test_history_is_silent_until_it_knows_enough_and_then_catches_the_odd_one():
    """With too few runs nothing is unusual; then what is far outside the usual spread is."""
    how = History(window=10, minimum=5)
    steady = [100, 103, 98, 101, 99, 102, 100]
    assert outcome.usual(steady[:4], how) is None
    known = outcome.usual(steady, how)
    assert known.low < 97 < known.high
    assert not known.low <= 180 <= known.high
    assert not known.low <= 40 <= known.high
    # One wild run among the good ones does not make the next wild one usual.
    assert not known.low <= 180 <= outcome.usual([*steady, 5000], how).high < 180
    # A series without any spread leaves room for its tolerance.
    assert outcome.usual([100] * 8, how).high > 110


def test_history_looks_back_as_far_as_its_window():
    """What is older than the window is forgotten."""
    how = History(window=5, minimum=3)
    assert outcome.usual([1] * 50 + [100] * 5, how).median == 100


def test_shift_is_small_for_the_same_and_large_for_another_distribution():
    """The stability index of samples of one distribution is below 0.1, of another one above 0.25."""
    source = random.Random(5)
    kinds, one = {"x": "double"}, [rule("distributionShift", "x")]

    def sample(mean):
        rows = pa.table({"x": [source.gauss(mean, 1) for _ in range(4000)]})
        return measure(rows, one, kinds, known).distributions["x"]

    known = {}
    known["x"] = sample(0)
    assert outcome.shift(known["x"].counts, sample(0).counts) < 0.1
    assert outcome.shift(known["x"].counts, sample(1).counts) > 0.25
    assert outcome.shift([0, 0], [1, 1]) == 0.0


def test_bounds_and_percent():
    """A percentage is of the rows measured, and what was promised is in the sentence."""
    nulls = rule("nullValues", "amount", unit="percent", operator="mustBeLessThan", limit=25)
    late = rule("freshness", "at", unit="h", operator="mustBeLessOrEqualTo", limit=2)
    found = measure(ROWS, [nulls, late], KINDS, {})
    now = {"clock": NOON + timedelta(hours=2)}
    first, second = outcome.outcomes([nulls, late], found, {}, {}, now, {})
    assert not first.good
    assert first.why == "nullValues amount: 25 percent, must be less than 25 percent"
    assert second.good
    now = {"clock": NOON + timedelta(hours=3)}
    assert not outcome.outcomes([late], found, {}, {}, now, {})[0].good


def test_history_of_counts_is_the_ledger_and_forgets_what_was_rolled_back(tmp_path):
    """Counts of earlier runs come from their steps; a run that was undone does not count."""
    tables = Tables(str(tmp_path))
    table = TableName.of("silver", "shop", "sat_placed")
    for valid, bad in ((100, 0), (90, 10), (80, 20)):
        with Ledger(tables).run("shop") as run:
            run.record(Step(run.number, "shop", "silver", str(table),
                            input=valid + bad, valid=valid, quarantined=bad))  # fmt: skip
            history.remember(tables, "shop", str(table), run.number, {"sum amount": valid / 2}, {})
    how = History()
    rules = [
        rule("rowCount", history=how), rule("badRows", unit="percent", history=how),
        rule("sum", "amount", history=how),
    ]  # fmt: skip
    assert history.Past(tables, "shop", str(table)).values(rules) == {
        "rowCount": [100, 90, 80], "badRows percent": [0, 10, 20], "sum amount": [50, 45, 40],
    }  # fmt: skip
    ledger = Ledger(tables)
    ledger.mark_rolled_back([run for run in ledger.runs("shop") if run["run"] == 3], by=4)
    left = history.Past(tables, "shop", str(table)).values(rules)
    assert (left["rowCount"], left["sum amount"]) == ([100, 90], [50, 45])
