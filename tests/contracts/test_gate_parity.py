"""The compiled gate means what Pandera means: failure by failure, on random rows."""

from __future__ import annotations

import math

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pyspark.sql import types as T

from contracts.gate import failures
from contracts.model import Column, Contract, Rule
from contracts.pandera_schema import pandera_schema

pytestmark = pytest.mark.spark

COLUMNS = (
    Column("number", "bigint"),
    Column("ratio", "double"),
    Column("word", "string"),
)
numbers = st.none() | st.integers(-5, 5)
ratios = st.none() | st.sampled_from([math.nan, -1.5, 0.0, 0.5, 2.0])
words = st.none() | st.text(alphabet="abAB \n'\\", max_size=4)
bound = st.integers(-4, 4)


def rules_of(column, check, arguments):
    return st.builds(lambda given: Rule(column, check, given), st.fixed_dictionaries(arguments))


rules = st.one_of(
    *[
        rules_of(column, check, {argument: bound})
        for column in ("number", "ratio")
        for check, argument in (
            ("equal_to", "value"),
            ("not_equal_to", "value"),
            ("greater_than", "min_value"),
            ("greater_than_or_equal_to", "min_value"),
            ("less_than", "max_value"),
            ("less_than_or_equal_to", "max_value"),
        )
    ],
    rules_of("number", "isin", {"allowed_values": st.lists(bound, min_size=1, max_size=3)}),
    rules_of("number", "notin", {"forbidden_values": st.lists(bound, min_size=1, max_size=3)}),
    st.builds(
        lambda low, span, a, b: Rule(
            "number",
            "in_range",
            {"min_value": low, "max_value": low + span, "include_min": a, "include_max": b},
        ),
        bound, st.integers(1, 4), st.booleans(), st.booleans(),
    ),
    rules_of("word", "str_matches", {"pattern": st.sampled_from(["a", "a|b", "[ab]+$", "\\s", "^B"])}),
    rules_of("word", "str_contains", {"pattern": st.sampled_from(["a", "a|b", "[AB]", "'"])}),
    rules_of("word", "str_startswith", {"string": st.sampled_from(["a", "'", "\\"])}),
    rules_of("word", "str_endswith", {"string": st.sampled_from(["b", " ", "\\"])}),
    rules_of("word", "str_length", {"min_value": st.integers(0, 2), "max_value": st.integers(2, 3)}),
    st.sampled_from([Rule(column.name, "required") for column in COLUMNS]),
)  # fmt: skip


def contract_of(chosen):
    required = {rule.column for rule in chosen if rule.check == "required"}
    columns = tuple(
        Column(column.name, column.type, required=column.name in required) for column in COLUMNS
    )
    named = tuple(
        Rule(rule.column, rule.check, rule.arguments, name=f"r{place}")
        for place, rule in enumerate(chosen)
    )
    return Contract("d", "t", "1.0.0", "active", "", "", columns, named)


def by_pandera(contract, rows):
    """Return (row, column) for each failure that Pandera finds, one a rule."""
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    frame = frame.astype({"number": "Int64", "ratio": "float64", "word": "string"})
    try:
        pandera_schema(contract).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        return sorted(
            (
                int(case["index"]),
                case["column"],
                "null" if case["check"] == "not_nullable" else case["check"],
            )
            for case in cases.to_dict("records")
        )
    return []


def by_gate(spark, contract, rows):
    schema = T.StructType(
        [
            T.StructField("place", T.IntegerType()),
            *[
                T.StructField(column.name, T._parse_datatype_string(column.type))
                for column in COLUMNS
            ],
        ]
    )
    frame = spark.createDataFrame([(place, *row) for place, row in enumerate(rows)], schema)
    required = {rule.name for rule in contract.rules if rule.check == "required"}
    found = frame.selectExpr(
        "place", "'c' as _op", "cast(null as map<string,string>) as _rescued", *contract.names
    ).selectExpr("place", f"explode({failures(contract)}) as f")
    return sorted(
        (
            row["place"],
            row["f"]["column"],
            "null" if row["f"]["rule"] in required else row["f"]["rule"],
        )
        for row in found.collect()
    )


@profile(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    chosen=st.lists(rules, min_size=1, max_size=5),
    rows=st.lists(st.tuples(numbers, ratios, words), min_size=1, max_size=8),
)
def test_the_gate_finds_what_pandera_finds(spark, chosen, rows):
    """For any rules and rows the compiled expression and Pandera name the same failures."""
    once = {(rule.column, rule.check): rule for rule in chosen}
    contract = contract_of(list(once.values()))
    assert by_gate(spark, contract, rows) == by_pandera(contract, rows)
