"""Which of equal events is valid, and which is superseded or contradicts: by key, position, content."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts.parsing.load import load_domain
from silver.duplicates import outcomes
from tests import orders

FAILURES = pa.list_(
    pa.struct([("column", pa.string()), ("rule", pa.string()), ("value", pa.string())])
)
ROWS = pa.schema(
    [
        ("case", pa.string()), ("order_id", pa.int64()), ("placed_hk", pa.binary()),
        ("_sequence", pa.string()), ("_op", pa.string()), ("_hashdiff", pa.binary()),
        ("_good", pa.bool_()), ("_failures", FAILURES), ("_source", pa.string()),
        ("_identity", pa.int64()), ("_unavailable", pa.list_(pa.string())),
    ]
)  # fmt: skip
FIRST, LATER = "0" * 19 + ".0.1", "1" * 19 + ".0.1"


def row(case, key, content=b"a", *, op="u", good=True, sequence="1", source="a", unchanged=None):
    """Return one validated row; `case` names it."""
    failures = None if good else [{"column": "amount", "rule": "minimum", "value": "-1"}]
    values = (
        case, key, bytes([key]), sequence, op, content, good, failures, source, key, unchanged
    )  # fmt: skip
    return dict(zip(ROWS.names, values, strict=True))


def stored(*events):
    """Return stored events: (key, position, operation, content)."""
    names = ("placed_hk", "_sequence", "_op", "_hashdiff")
    return pa.Table.from_pylist(
        [dict(zip(names, (bytes([key]), *rest), strict=True)) for key, *rest in events]
    )


def outcome_of(spark, contract, rows, events, duplicates):
    """Return (outcome, rules that it breaks) by case."""
    frame = spark.createDataFrame(pa.Table.from_pylist(rows, schema=ROWS))
    events = None if events is None else spark.createDataFrame(events)
    result = outcomes(frame, contract, events, duplicates).select("case", "_outcome", "_failures")
    return {
        r["case"]: (r["_outcome"], [f["rule"] for f in r["_failures"] or []])
        for r in result.toArrow().to_pylist()
    }


@pytest.fixture
def contract(settings):
    """The contract of orders."""
    orders.write_contract(settings.contracts)
    return load_domain(settings.contracts, "shop")["orders"]


@pytest.mark.parametrize("duplicates", ["some", "anywhere"])
def test_an_event_is_loaded_once_and_a_contradiction_is_quarantined(spark, contract, duplicates):
    """Whether the rows are searched all or only those whose identity occurs twice."""
    rows = [
        row("alone", 1),
        row("twice", 2),
        row("twice, sent again", 2, source="b"),
        row("content", 3),
        row("other content of one position", 3, b"b"),
        row("other position", 3, b"b", sequence="2"),
        row("bad", 4, good=False),
        row("good beside bad", 4, b"b"),
        row("tombstone", 5, op="tombstone", good=False),
        row("truncate", 6, op="t"),
        row("stored", 7),
        row("stored otherwise", 8),
        row("stored at another position", 9),
        row("stored, its unchanged values filled since", 10, unchanged=["note"]),
        row("bad, and stored", 11, good=False),
    ]
    events = stored(
        (7, "1", "u", b"a"), (8, "1", "u", b"b"), (9, "2", "u", b"b"), (10, "1", "u", b"filled"),
        (11, "1", "u", b"a"),
    )  # fmt: skip
    assert outcome_of(spark, contract, rows, events, duplicates) == {
        "alone": ("valid", []),
        "twice": ("valid", []),
        "twice, sent again": ("superseded", []),
        "content": ("valid", []),
        "other content of one position": ("quarantined", ["unique"]),
        "other position": ("valid", []),
        "bad": ("quarantined", ["minimum"]),
        "good beside bad": ("valid", []),
        "tombstone": ("superseded", ["minimum"]),
        "truncate": ("truncate", []),
        "stored": ("superseded", []),
        "stored otherwise": ("quarantined", ["unique"]),
        "stored at another position": ("valid", []),
        "stored, its unchanged values filled since": ("superseded", []),
        "bad, and stored": ("quarantined", ["minimum"]),
    }


def test_rows_without_a_key_are_duplicates_by_content_and_operation(spark, settings):
    """Of a later snapshot it cannot be decided which rows the log already has: it is superseded."""
    document = orders.document()
    for column in document["schema"][0]["properties"]:
        column.pop("primaryKey", None), column.pop("primaryKeyPosition", None)
    document["customProperties"][1]["value"] = {"satellite": "placed"}
    orders.write_contract(settings.contracts, document)
    contract = load_domain(settings.contracts, "shop")["orders"]
    rows = [
        row("update", 1),
        row("update, sent again", 1, source="b"),
        row("former content of the update", 1, op="d"),
        row("first snapshot", 2, op="r", sequence=FIRST),
        row("later snapshot", 3, op="r", sequence=LATER),
        row("truncate", 4, op="t"),
        row("stored", 5),
        row("stored by another operation", 6),
    ]
    events = stored((5, "1", "u", b"a"), (6, "1", "d", b"a"))
    assert outcome_of(spark, contract, rows, events, "some") == {
        "update": ("valid", []),
        "update, sent again": ("superseded", []),
        "former content of the update": ("valid", []),
        "first snapshot": ("valid", []),
        "later snapshot": ("superseded", []),
        "truncate": ("valid", []),
        "stored": ("superseded", []),
        "stored by another operation": ("valid", []),
    }
