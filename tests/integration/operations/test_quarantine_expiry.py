"""`quarantine expire`: the values of old rows go; their reasons and counts stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lakehouse.errors import UsageError
from lakehouse.quality.quarantine_rows import RESOLUTION
from lakehouse.runs.ledger import Ledger
from lakehouse.storage.tables import TableName, Tables
from operations.quarantine_expiry import age
from tests.stored_shop import QUARANTINE

NAME = TableName.of("silver", "shop", "orders_quarantine")
NOW = datetime.now(UTC)


@pytest.fixture
def tables(home):
    """Four more refused orders: open and old, open and new, replayed and old, of no time."""
    tables = Tables(str(home / "warehouse"))
    schema = QUARANTINE
    for name, kind in {"quarantined_at": RESOLUTION["settled_at"], **RESOLUTION}.items():
        schema = schema.append(pa.field(name, kind))
    rows = [
        {
            "row": [("number", str(number)), ("price", "-7")],
            "failures": [{"column": "price", "rule": "minimum", "value": "-7"}],
            "contract_version": "1.0.0",
            "status": status,
            "_batch": 1,
            "quarantined_at": at,
            "settled_batch": 5 if status == "replayed" else None,
        }
        for number, status, at in (
            (101, "open", NOW - timedelta(days=100)),
            (102, "open", NOW - timedelta(days=1)),
            (103, "replayed", NOW - timedelta(days=100)),
            (104, "open", None),
        )
    ]
    tables.append(NAME, pa.Table.from_pylist(rows, schema=schema))
    return tables


def statuses(tables):
    return sorted(row["status"] for row in tables.rows(NAME))


def test_the_values_of_old_rows_go_and_the_counts_stay(lakehouse, tables):
    """Open and old: expired; replayed and old: emptied; the others are as they were."""
    before = len(tables.rows(NAME))
    ended = lakehouse("quarantine", "expire", "shop", "--yes", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["datasets"] == [
        {"dataset": "orders", "table": str(NAME), "open": 1, "replayed": 1}
    ]
    rows = tables.rows(NAME)
    assert len(rows) == before
    (gone,) = [row for row in rows if row["status"] == "expired"]
    assert gone["row"] is None
    assert gone["failures"] == [{"column": "price", "rule": "minimum", "value": None}]
    assert gone["settled_batch"] == ended.json["run"]
    (kept,) = [row for row in rows if row["status"] == "replayed"]
    assert (kept["row"], kept["settled_batch"]) == (None, 5)
    assert "-7" in repr([row for row in rows if row["status"] == "open"]), "the new one"
    assert Ledger(tables).runs("shop")[-1]["message"] == "expired 1 quarantined rows"

    version = tables.version(NAME)
    assert lakehouse("quarantine", "expire", "shop", "--yes", "--json").json["run"] == 0
    assert tables.version(NAME) == version, "twice changes nothing"
    shown = lakehouse("quarantine", "show", "shop", "orders", "--json").json
    assert shown["total"] == before
    status = lakehouse("status", "shop", "--json").json
    (table,) = [t for t in status["domains"][0]["tables"] if t["table"] == str(NAME)]
    assert table["quarantine"] == {"open": before - 2, "replayed": 1, "expired": 1}
    assert table["open_quarantine"] == before - 2


def test_a_dry_run_and_nobody_to_ask_change_nothing(lakehouse, tables):
    """--dry-run shows what would go; without a terminal --yes is needed."""
    version = tables.version(NAME)
    ended = lakehouse("quarantine", "expire", "shop", "--dry-run", "--json")
    assert ended.json["datasets"][0]["open"] == 1
    assert lakehouse("quarantine", "expire", "shop").code == 2
    assert lakehouse("quarantine", "expire", "shop", "--older-than", "200d").code == 0
    assert tables.version(NAME) == version


def test_an_age_is_a_number_with_a_unit():
    """Hours, days and weeks; anything else is wrong usage."""
    assert [age(text) for text in ("12h", "90d", "4 w")] == [
        timedelta(hours=12), timedelta(days=90), timedelta(weeks=4)
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no age"):
        age("soon")
