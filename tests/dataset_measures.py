"""Rows with one rule a metric, and their measures as they were counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from contracts.model.dataset_rule import DatasetRule

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


def check(measures):
    """Compare with the counts made by hand."""
    values = {key: value for key, value in measures.values.items() if not key.startswith("sum")}
    assert values == {
        "rowCount": 8,
        "nullValues amount": 2,  # NaN is no value either
        "missingValues shop ('', '?')": 3,
        "duplicateValues shop,amount": 1,
        "distinctValues shop": 5,
        "freshness h at": NOON.timestamp() * 1e6,
    }
    assert sum(measures.distributions["amount"].counts) == 6
    shops = measures.distributions["shop"]
    assert dict(zip([*shops.cuts, "other"], shops.counts, strict=True)) == {
        "": 1, "?": 1, "a": 2, "b": 2, "c": 1, "other": 0,
    }  # fmt: skip
