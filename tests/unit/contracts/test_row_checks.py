"""Each row check: gate SQL and Pandera schema accept and refuse the same values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest

from contracts.checks.registry import CHECKS, named
from contracts.checks.values import sql_literal, typed
from contracts.compilers.conditions import in_python, violated
from contracts.compilers.pandera_schema import pandera_schema
from contracts.compilers.python_checks import check_in_python
from contracts.model.contract import Column, Contract
from contracts.model.rules import Rule
from tests.unit.contracts.spark_sql import run

ARROW = {
    "int": pa.int32(), "double": pa.float64(), "string": pa.string(), "boolean": pa.bool_(),
    "decimal(10,2)": pa.decimal128(10, 2), "date": pa.date32(), "array<int>": pa.list_(pa.int32()),
    "timestamp": pa.timestamp("us", "UTC"),
}  # fmt: skip
NOON = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)
CASES = [
    # check, arguments, type, valid values, invalid values
    ("equal_to", {"value": 2}, "int", [2], [1, 3]),
    ("not_equal_to", {"value": "a"}, "string", ["b", ""], ["a"]),
    ("greater_than", {"min_value": 0}, "decimal(10,2)", [Decimal("0.01")], [Decimal(0), Decimal(-1)]),
    ("greater_than_or_equal_to", {"min_value": "2024-01-02"}, "date", [dt.date(2024, 1, 2)], [dt.date(2024, 1, 1)]),
    ("less_than", {"max_value": "2024-01-02T12:00:00"}, "timestamp", [NOON - dt.timedelta(seconds=1)], [NOON]),
    ("less_than_or_equal_to", {"max_value": 0.1}, "double", [0.1, -1.0], [0.2]),
    ("in_range", {"min_value": 1, "max_value": 3}, "int", [1, 2, 3], [0, 4]),
    ("in_range", {"min_value": 1, "max_value": 3, "include_min": False, "include_max": False}, "int", [2], [1, 3]),
    ("isin", {"allowed_values": ["a", None, "b'"]}, "string", ["a", "b'"], ["c", "A"]),
    ("notin", {"forbidden_values": [True]}, "boolean", [False], [True]),
    ("multiple_of", {"divisor": 0.5}, "decimal(10,2)", [Decimal("1.50")], [Decimal("1.25")]),
    ("str_matches", {"pattern": "[a-z]1"}, "string", ["a1", "a1x"], ["xa1", ""]),
    ("str_contains", {"pattern": "b"}, "string", ["abc"], ["ac"]),
    ("str_startswith", {"string": "a."}, "string", ["a.b"], ["ab", ""]),
    ("str_endswith", {"string": "z"}, "string", ["az"], ["za"]),
    ("str_length", {"min_value": 1, "max_value": 2}, "string", ["a", "éé"], ["", "abc"]),
    ("str_length", {"exact_value": 2}, "string", ["ab"], ["a", "abc"]),
    ("items_in_range", {"min_items": 1, "max_items": 2}, "array<int>", [[1], [1, 2]], [[], [1, 2, 3]]),
    ("items_unique", {}, "array<int>", [[], [1, 2]], [[1, 1]]),
]  # fmt: skip


def broken_in_sql(rule, column, values):
    """Return for each value whether the gate's condition says that it breaks the rule."""
    table = pa.table({"x": pa.array(values, ARROW[column.type]), "place": range(len(values))})
    rows = run(f"select {violated(rule, column)} as broken from rows order by place", rows=table)
    return [row["broken"] for row in rows]


def broken_in_pandera(rule, column, values):
    """Return for each value whether Pandera's check fails on it."""
    contract = Contract("d", "t", "1.0.0", "active", "", "", (column,), (rule,))
    try:
        pandera_schema(contract).validate(
            pd.DataFrame({"x": pd.Series(values, dtype="object")}), lazy=True
        )
    except pandera.errors.SchemaErrors as errors:
        failed = set(errors.failure_cases["index"])
        return [place in failed for place in range(len(values))]
    return [False] * len(values)


@pytest.mark.parametrize(("check", "arguments", "kind", "valid", "invalid"), CASES)
def test_a_row_check_validates_alike_in_sql_and_in_pandera(check, arguments, kind, valid, invalid):
    """Valid values break no rule, invalid ones do, a null never does."""
    rule, column = Rule("x", check, arguments), Column("x", kind)
    values, expected = (
        [*valid, *invalid, None],
        [False] * len(valid) + [True] * len(invalid) + [False],
    )
    assert broken_in_sql(rule, column, values) == expected
    assert broken_in_pandera(rule, column, values) == expected


def test_every_registered_check_is_tested():
    """A check of the registry without a case above is noticed."""
    assert {case[0] for case in CASES} == set(CHECKS)


def test_a_check_has_aliases():
    """Pandera's short names are names of the same checks."""
    names = {alias: named(alias).name for alias in ("eq", "ne", "gt", "ge", "lt", "le", "between")}
    assert names == {
        "eq": "equal_to", "ne": "not_equal_to", "gt": "greater_than", "ge": "greater_than_or_equal_to",
        "lt": "less_than", "le": "less_than_or_equal_to", "between": "in_range",
    }  # fmt: skip
    assert named("equals") is None


def test_nan_counts_as_null():
    """NaN breaks `required` and no other rule, as in Pandera."""
    column = Column("x", "double", required=True)
    assert broken_in_sql(Rule("x", "required"), column, [float("nan"), None, 1.0]) == [
        True,
        True,
        False,
    ]
    positive = Rule("x", "greater_than", {"min_value": 0})
    assert broken_in_sql(positive, column, [float("nan"), None, -1.0]) == [False, False, True]


def test_a_pattern_that_java_cannot_express_is_validated_in_python():
    """The gate reads a computed column there, and Python's own `re` validates each value."""
    conditional = Rule("x", "str_matches", {"pattern": r"(a)?(?(1)b|x)"})
    column = Column("x", "string")
    assert in_python(conditional)
    assert violated(conditional, column).startswith("`_breaks_")
    check = check_in_python(conditional, "string")
    outcome = check(pd.Series(["ab", "x", "b"])).check_output
    assert outcome.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("2024-01-02T14:00:00+02:00", "timestamp", NOON),
        ("2024-01-02", "timestamp", NOON.replace(hour=0)),
        ("2024-01-02", "date", dt.date(2024, 1, 2)),
        (2, "double", 2.0), (2.0, "bigint", 2), (0.5, "int", Decimal("0.5")), (0.1, "decimal(10,2)", Decimal("0.1")),
    ],
)  # fmt: skip
def test_a_value_of_yaml_becomes_one_of_the_column(value, kind, expected):
    """A time without a zone is UTC; a fraction stays one, also for a column of whole numbers."""
    assert typed(value, kind) == expected
    assert type(typed(value, kind)) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1, "string"), ("x", "int"), (True, "int"), (1, "boolean"), ("2024-13-01", "date"), (3, "date"),
     ("2024-01-02T03:00:00", "date")],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(value, kind):
    """What the column can never have is a mistake of the contract."""
    with pytest.raises(ValueError, match="is no "):
        typed(value, kind)


@pytest.mark.parametrize(
    ("value", "kind", "sql"),
    [
        (2, "int", "2"), (2**40, "bigint", f"{2**40}L"), (0.1, "double", "0.1D"),
        (0.5, "float", "cast(0.5D as float)"), (Decimal("0.5"), "int", "0.5BD"),
        (Decimal(2), "decimal(10,2)", "cast(2 as decimal(10,2))"),
        (Decimal("0.105"), "decimal(10,2)", "0.105BD"), ("it's", "string", r"'it\'s'"),
        (dt.date(2024, 1, 2), "date", "date'2024-01-02'"), (None, "int", "null"), (True, "boolean", "true"),
    ],
)  # fmt: skip
def test_a_literal_needs_no_cast_of_the_column(value, kind, sql):
    """A literal that fits the column's type is of that type, so that no value of the column is cast."""
    assert sql_literal(value, kind) == sql
