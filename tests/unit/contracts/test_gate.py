"""The gate's SQL: what makes a row valid, which failures a bad one has, and which values are unchanged."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts.compilers import gate
from contracts.model.contract import Capture, Cleanse, Column, Contract
from contracts.model.rules import RowRule, Rule
from tests.unit.contracts.spark_sql import run, value

KEY = Column("id", "bigint", required=True, key=1)
AMOUNT = Column("amount", "double", required=True)
STATUS = Column("status", "string")
RULES = (
    Rule("id", "required"),
    Rule("amount", "required"),
    Rule("amount", "greater_than", {"min_value": 0}),
    Rule("status", "isin", {"allowed_values": ["open", "paid"]}, "warning", name="usual status"),
)
CONDITION = RowRule(
    "paid has an amount", ("amount", "status"), "not (`status` = 'paid' and `amount` < 1)"
)
DEBEZIUM = Capture("debezium", "orders/*.jsonl", "debezium-json")
TEXTS = pa.map_(pa.string(), pa.string())


def contract(columns=(KEY, AMOUNT, STATUS), rules=RULES, row_rules=(CONDITION,), **more):
    """Return a contract of three columns."""
    return Contract(
        "shop", "orders", "1.0.0", "active", "", "", columns, rules, row_rules=row_rules, **more
    )


ROW = {"id": 1, "amount": 5.0, "status": "open", "_op": "c", "_rescued": None, "_unavailable": None}


def gated(of, *changes):
    """Return for each row (valid, failures as `column rule`, flags); a row is ROW with changes."""
    rows = [ROW | change for change in changes]
    schema = pa.schema({
        "id": pa.int64(), "amount": pa.float64(), "status": pa.string(), "_op": pa.string(),
        "_rescued": TEXTS, "_unavailable": pa.list_(pa.string()), "place": pa.int64(),
    })  # fmt: skip
    table = pa.Table.from_pylist([row | {"place": n} for n, row in enumerate(rows)], schema)
    outcomes = run(
        f"select place, {gate.good(of)} as good, {gate.failures(of)} as failures, "
        f"{gate.flags(of)} as flags from rows order by place",
        rows=table,
    )
    return [
        (
            row["good"],
            [f"{failure['column']} {failure['rule']}" for failure in row["failures"] or ()],
            row["flags"] or [],
        )
        for row in outcomes
    ]


@pytest.mark.parametrize(
    ("change", "failures", "flags"),
    [
        ({}, [], []),
        ({"id": None}, ["id required"], []),
        ({"amount": None}, ["amount required"], []),
        ({"amount": float("nan")}, ["amount required"], []),
        ({"amount": -1.0}, ["amount greater_than"], []),
        ({"status": None}, [], []),
        ({"status": "lost"}, [], ["usual status"]),
        ({"amount": 0.5, "status": "paid"}, ["amount, status paid has an amount"], []),
        ({"id": None, "amount": 0.0}, ["id required", "amount greater_than"], []),
        ({"amount": None, "_rescued": [("amount", "x")]}, ["amount type double"], []),
        ({"id": None, "amount": None, "_rescued": [("_line", "{")]}, ["_line unreadable"], []),
        ({"_op": "x"}, ["_op operation"], []),
        ({"_op": None}, ["_op operation"], []),
    ],
)  # fmt: skip
def test_a_row_has_every_failure_of_the_rules_it_breaks(change, failures, flags):
    """A row is valid exactly where it has no failure; a warning flags it and lets it pass."""
    ((good, named, flagged),) = gated(contract(), change)
    assert named == failures
    assert good is (not failures)
    assert flagged == flags


def test_a_delete_is_validated_by_its_key_alone():
    """A delete carries its key only, so nothing else can fail."""
    rows = gated(
        contract(),
        {"_op": "d", "amount": None, "status": "lost"},
        {"_op": "d", "id": None, "amount": None},
    )
    assert rows == [(True, [], []), (False, ["id required"], [])]


def test_a_delete_without_a_key_carries_the_row():
    """A keyless dataset counts copies of a row, so a delete has to be one: all rules apply."""
    columns = (Column("id", "bigint"), AMOUNT, STATUS)
    keyless = contract(columns, row_rules=(CONDITION,))
    ((good, failures, _),) = gated(keyless, {"_op": "d", "amount": -1.0})
    assert (good, failures) == (False, ["amount greater_than"])


@pytest.mark.parametrize("op", [gate.TRUNCATE, gate.TOMBSTONE])
def test_a_truncate_and_a_tombstone_carry_no_row(op):
    """A truncate empties the table and a tombstone drops a key: neither is rejected for lack of values."""
    assert gated(contract(), {"_op": op, "id": None, "amount": None}) == [(True, [], [])]


def test_an_unchanged_value_is_not_missing():
    """A TOAST value that an update did not carry does not break `required`, nor a row rule that reads it."""
    note = Column("status", "string", required=True)
    rule = RowRule("has a status", ("status", "amount"), "not (`status` is null and `amount` > 1)")
    rules = (*RULES[:3], Rule("status", "required"))
    of = contract((KEY, AMOUNT, note), rules, (rule,), capture=(DEBEZIUM,))
    unchanged, missing = gated(of, {"status": None, "_unavailable": ["status"]}, {"status": None})
    assert unchanged[:2] == (True, [])
    assert missing[:2] == (False, ["status required", "status, amount has a status"])


def test_unchanged_columns_are_named_by_their_placeholder():
    """Debezium sends a placeholder, in an array of numbers its character codes; keys never have one."""
    of = contract((KEY, STATUS, Column("note", "string")), (), (), capture=(DEBEZIUM,))
    names = gate.unchanged_columns(of)
    given = f"1 as id, '{gate.PLACEHOLDER}' as status, '{gate.CODES}' as note"
    assert sorted(value(names, given)) == ["note", "status"]
    assert value(names, f"1 as id, 'open' as status, '{gate.PLACEHOLDER}' as note") == ["note"]
    assert value(names, "1 as id, 'open' as status, cast(null as string) as note") is None
    assert gate.unchanged_columns(contract()) is None  # files carry whole rows


@pytest.mark.parametrize(
    ("cleanse", "text", "cleansed"),
    [
        (Cleanse(), " A ", " A "),
        (Cleanse(trim=True), " A ", "A"),
        (Cleanse(trim=True, null_tokens=("n/a", "-")), " n/a ", None),
        (Cleanse(case="upper"), "a", "A"),
        (Cleanse(case="lower", mapping=(("y", "yes"), ("n", "no"))), "Y", "yes"),
        (Cleanse(mapping=(("y", "yes"),)), "maybe", "maybe"),
        (Cleanse(null_tokens=("",), default="none"), "", "none"),
        (Cleanse(case="lower", null_tokens=("N/A",)), "n/a", "n/a"),
    ],
)
def test_text_is_cleansed_in_order(cleanse, text, cleansed):
    """Trim, null tokens, case, mapping, default: each sees what the one before it made."""
    expression = gate.cleansed(Column("x", "string", cleanse=cleanse))
    assert value(expression, f"'{text}' as x") == cleansed


def test_a_default_is_cast_to_the_type_of_the_column():
    """The default of a number is a number."""
    expression = gate.cleansed(Column("x", "int", cleanse=Cleanse(default="7")))
    assert value(expression, "cast(null as int) as x") == 7
