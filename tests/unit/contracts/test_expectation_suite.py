"""The publication suite has the contract's rules in Great Expectations' terms."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime

import pyarrow as pa

from contracts.compilers.expectation_suite import suite
from contracts.model.rules import Rule
from gold.expectations import Expectations

ROWS = pa.table(
    {
        "id": [1, 2, 2],
        "part": [1, 1, 1],
        "price": [decimal.Decimal("1.50"), decimal.Decimal("-0.01"), None],
        "at": [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3)],
        "code": ["ab", "abc", "x1"],
    }
)
KINDS = {"id": "bigint", "price": "decimal(10,2)", "at": "timestamp", "code": "string"}


def test_each_rule_becomes_an_expectation_that_counts_its_failures(tmp_path):
    """Keys, nulls, ranges of decimals and instants, patterns, lengths: failures are counted alike."""
    made = suite(
        key=["id", "part"],
        required=["price"],
        accepted={"code": ["ab", "abc"]},
        rules=[
            Rule("price", "greater_than_or_equal_to", {"min_value": 0}),
            Rule("at", "less_than", {"max_value": "2024-01-03T00:00:00"}),
            Rule("code", "str_matches", {"pattern": "[a-z]+$"}),
            Rule("code", "str_length", {"min_value": 3}, "warning"),
            Rule("code", "made_up", {}),
        ],
        kinds=KINDS,
    )
    assert made.left_out == ("code made_up",)
    home = Expectations(tmp_path, personal=["code"])
    failed = home.validate("gold_table", made, ROWS)
    assert {(item.rule, item.columns, item.count, item.severity) for item in failed} == {
        ("key is repeated", ("id", "part"), 2, "error"),
        ("price is null", ("price",), 1, "error"),
        ("code is not accepted", ("code",), 1, "error"),
        ("greater_than_or_equal_to", ("price",), 1, "error"),
        ("less_than", ("at",), 1, "error"),
        ("str_matches", ("code",), 1, "error"),
        ("str_length", ("code",), 2, "warning"),
    }
    assert {value for item in failed for value in item.values} == set()  # one column is personal
    home.publish_pages()
    pages = "".join(page.read_text() for page in (tmp_path / "data_docs").rglob("*.html"))
    assert "gold_table" in pages
    assert "x1" not in pages
