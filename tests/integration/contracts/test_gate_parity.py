"""The compiled gate means what Pandera means: failure by failure, on random schemas and rows."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from decimal import Decimal

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pyspark.sql import functions as F
from pyspark.sql import types as T

from contracts.checks.values import typed
from contracts.compilers import gate
from contracts.compilers.pandera_schema import pandera_schema
from contracts.model.contract import Column, Contract
from contracts.model.rules import RowRule, Rule
from contracts.parsing.formats import FORMATS, pattern_of
from lakehouse.engine.python_checks import with_python_checks
from tests.integration.contracts import python_checks

pytestmark = pytest.mark.spark

WORDS = [
    "", "a", "b", "AB", "ba\n", "\n", "a\r", "'", "\\", "\u017f", "é", "É", "٣", "x1", "a_b", "\u2028", "\x1c",
    "a b", "x@y.de", "x@y", "2024-02-29", "2023-02-29", "::1", "1.2.3.4", "https://a.b/c", "a\u0301",
    "0f0e0d0c-0000-4000-8000-00000000000a", "😀", "YWJj", "2024-02-29T10:00:00Z", "23:59:59",
]  # fmt: skip
PATTERNS = [
    "a", "a|b", "[ab]+$", r"\s", "^B", "(?i)ab", "(?i:s)x?", r"\d", r"\w+$", r"[^\W\d]", ".", "(?s).*b", r"a\b",
    "(?m)^$", r"\Aa\Z", r"(?a)\w", "(a)?(b)", r"(?P<q>a).?(?P=q)", "(?<!a)b", "[^a-z]", "(?i)[^é]", "'", r"\\",
    "(?x) a  b", "(a)?(?(1)b|x)", r"\B", "[^\n]", r"\S+?$",
]  # fmt: skip
INSTANTS = [dt.datetime(2020, 1, day, 12, tzinfo=dt.UTC) for day in (1, 2, 3)]
# Type -> (values of rows, values of rules as YAML has them)
TYPES = {
    "int": (st.integers(-5, 5), st.integers(-4, 4) | st.sampled_from([0.5, 2.0])),
    "bigint": (st.integers(-5, 5) | st.just(2**62 + 1), st.integers(-4, 4) | st.just(2**62)),
    "float": (st.sampled_from([math.nan, -1.5, 0.1, 2.0, math.inf]), st.sampled_from([0.1, -1.5, 2])),
    "double": (st.sampled_from([math.nan, -0.0, 0.1, 2.0, -math.inf]), st.sampled_from([0.1, 0, 2.0])),
    "decimal(10,2)": (
        st.sampled_from([Decimal("0.10"), Decimal("2.00"), Decimal("-1.50")]),
        st.sampled_from([0.1, 2, -1.5, 0.105]),
    ),
    "string": (st.sampled_from(WORDS), st.sampled_from(WORDS)),
    "date": (st.sampled_from([i.date() for i in INSTANTS]), st.sampled_from(["2020-01-02", INSTANTS[0].date()])),
    "timestamp": (
        st.sampled_from(INSTANTS),
        st.sampled_from(["2020-01-02T12:00:00", "2020-01-02T14:00:00+02:00", dt.date(2020, 1, 2)]),
    ),
    "boolean": (st.booleans(), st.booleans()),
}  # fmt: skip
COLUMNS = {kind: kind.split("(")[0] + "_" for kind in TYPES}
ITEMS = st.lists(st.integers(0, 2), max_size=4)
CONDITIONS = {
    "not (`int_` > `bigint_`)": ("int_", "bigint_"),
    "not (`double_` < `decimal_` or `string_` like 'a%')": ("double_", "decimal_", "string_"),
    "not (`boolean_` and coalesce(`int_`, 0) + 1 > 2)": ("boolean_", "int_"),
    "not (abs(`float_`) > 1 and length(`string_`) between 1 and 2)": ("float_", "string_"),
    "not (`double_` is null and `date_` < date'2020-01-02')": ("double_", "date_"),
}


def rule(column, check, **arguments):
    return st.builds(lambda given: Rule(column, check, given), st.fixed_dictionaries(arguments))


def rules_of(kind, values):
    """Return the strategies of the rules that a column of a type may have."""
    column = COLUMNS[kind]
    some = st.lists(values, min_size=1, max_size=3)
    yield rule(column, "isin", allowed_values=some | some.map(lambda listed: [*listed, None]))
    yield rule(column, "notin", forbidden_values=some)
    yield rule(column, "equal_to", value=values)
    yield rule(column, "not_equal_to", value=values)
    if kind == "boolean":
        return
    yield rule(column, "greater_than", min_value=values)
    yield rule(column, "greater_than_or_equal_to", min_value=values)
    yield rule(column, "less_than", max_value=values)
    yield rule(column, "less_than_or_equal_to", max_value=values)
    two = st.lists(values, min_size=2, max_size=2, unique_by=lambda value: typed(value, kind))
    yield st.builds(
        lambda pair, low, high: Rule(
            column, "in_range",
            dict(zip(("min_value", "max_value"), sorted(pair, key=lambda value: typed(value, kind)), strict=True))
            | {"include_min": low, "include_max": high},
        ),
        two, st.booleans(), st.booleans(),
    )  # fmt: skip
    if kind in ("int", "bigint", "decimal(10,2)", "double"):
        yield rule(
            column,
            "multiple_of",
            divisor=st.sampled_from([2, 0.5] if "(" in kind or kind == "double" else [2, 3]),
        )


RULES = st.one_of(
    *[strategy for kind, (_, values) in TYPES.items() for strategy in rules_of(kind, values)],
    rule("string_", "str_matches", pattern=st.sampled_from(PATTERNS)),
    rule("string_", "str_contains", pattern=st.sampled_from(PATTERNS)),
    rule("string_", "str_matches", pattern=st.sampled_from([pattern_of(f) for f in FORMATS if FORMATS[f]])),
    rule("string_", "str_startswith", string=st.sampled_from(WORDS)),
    rule("string_", "str_endswith", string=st.sampled_from(WORDS)),
    rule("string_", "str_length", min_value=st.integers(0, 2), max_value=st.integers(2, 3)),
    rule("string_", "str_length", exact_value=st.integers(0, 2)),
    rule("items", "items_in_range", min_items=st.integers(0, 1), max_items=st.integers(1, 3)),
    st.just(Rule("items", "items_unique")),
    st.sampled_from([
        Rule("int_", "custom", {"function": "x:is_even"}, source="tests.integration.contracts.python_checks:is_even"),
        Rule("string_", "custom", {"function": "x:is_short", "element_wise": True, "most": 2},
             source="tests.integration.contracts.python_checks:is_short"),
        Rule("bigint_", "digits_add_up_to", {"total": 3}, source="tests.integration.contracts.python_checks"),
    ]),
)  # fmt: skip
ROWS = st.tuples(*[st.none() | values for values, _ in TYPES.values()], st.none() | ITEMS)
EXAMPLES = st.tuples(
    st.lists(RULES, min_size=1, max_size=4),
    st.sets(st.sampled_from([*COLUMNS.values(), "items"]), max_size=2),
    st.lists(st.sampled_from(list(CONDITIONS)), max_size=1),
    st.lists(ROWS, min_size=1, max_size=6),
)


def contract_of(chosen, required, conditions):
    """Return a contract whose every rule has a name of its own."""
    columns = tuple(
        Column(name, kind, required=name in required)
        for kind, name in (*COLUMNS.items(), ("array<int>", "items"))
    )
    named = [Rule(name, "required", name=f"null {name}") for name in sorted(required)]
    named += [
        Rule(rule.column, rule.check, rule.arguments, name=f"r{place}", source=rule.source)
        for place, rule in enumerate(chosen)
    ]
    wide = tuple(RowRule(f"c{i}", CONDITIONS[sql], sql) for i, sql in enumerate(conditions))
    return Contract("d", "t", "1.0.0", "active", "", "", columns, tuple(named), row_rules=wide)


def by_pandera(contract, rows):
    """Return (row, rule) for each failure that Pandera finds."""
    frame = pd.DataFrame(rows, columns=list(contract.names), dtype="object")
    for name in ("float_", "double_"):
        frame[name] = frame[name].astype("float64")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas: a pattern has groups
        try:
            pandera_schema(contract).validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            cases = errors.failure_cases.to_dict("records")
            assert all(case["index"] is not None for case in cases), cases
            return sorted(
                {
                    (int(case["index"]),
                     f"null {case['column']}" if case["check"] == "not_nullable" else case["check"])
                    for case in cases
                }
            )  # fmt: skip
    return []


def by_gate(spark, contracts, examples):
    """Return for each contract the (row, rule) that the compiled gates find, all in one Spark job."""
    schema = T.StructType(
        [T.StructField("example", T.IntegerType()), T.StructField("place", T.IntegerType())]
        + [T.StructField(c.name, T._parse_datatype_string(c.type)) for c in contracts[0].columns]
    )
    frame = spark.createDataFrame(
        [(e, place, *row) for e, rows in enumerate(examples) for place, row in enumerate(rows)],
        schema,
    ).selectExpr("*", "'c' as _op", "cast(null as map<string,string>) as _rescued")
    for contract in contracts:
        frame = with_python_checks(frame, contract)
    arms = " ".join(f"when {e} then {gate.failures(c)}" for e, c in enumerate(contracts))
    goods = " ".join(f"when {e} then {gate.good(c)}" for e, c in enumerate(contracts))
    validated = frame.select(
        "example", "place",
        F.expr(f"case example {arms} end").alias("failures"), F.expr(f"case example {goods} end").alias("good"),
    )  # fmt: skip
    failures = [[] for _ in contracts]
    for row in validated.collect():
        assert row["good"] == (row["failures"] is None), "the two halves of the gate disagree"
        failures[row["example"]] += [
            (row["place"], failure["rule"]) for failure in row["failures"] or ()
        ]
    return [sorted(of_contract) for of_contract in failures]


# A failure is shown as it is found: to make it smaller would cost a Spark job a try.
@profile(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)  # fmt: skip
@given(examples=st.lists(EXAMPLES, min_size=25, max_size=25))
def test_the_gate_finds_what_pandera_finds(spark, examples):
    """For any schema, rules and rows the compiled gate and Pandera name the same failures."""
    contracts = [contract_of(*example[:3]) for example in examples]
    failures = by_gate(spark, contracts, [example[3] for example in examples])
    for contract, example, by_sql in zip(contracts, examples, failures, strict=True):
        assert by_sql == by_pandera(contract, example[3]), (contract.rules, contract.row_rules)


def test_a_function_without_an_outcome_a_row_is_an_error(spark):
    """A check with one outcome for a whole batch fails the job; it is never taken for a pass."""
    bad = Rule(
        "n",
        "custom",
        {"function": "x:is_any"},
        source="tests.integration.contracts.python_checks:is_any",
    )
    contract = Contract("d", "t", "1.0.0", "active", "", "", (Column("n", "int"),), (bad,))
    rows = with_python_checks(spark.range(3).selectExpr("cast(id as int) as n"), contract)
    with pytest.raises(Exception, match="not one boolean a row"):
        rows.collect()


assert python_checks  # the checks that contracts of these tests name
