"""Rows of the quarantine: as rejected, personal values sealed; and what a replay records of them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts.parsing.load import load_domain
from lakehouse.quality.quarantine_rows import unsealed
from lakehouse.quality.sealing import PREFIX, Seal
from lakehouse.runs.ledger import Run
from lakehouse.storage.tables import TableName, Tables
from silver.batch import Batch
from silver.quarantine import as_frame, as_rows, record_outcomes
from tests import orders

QUARANTINE = TableName("silver", "shop__orders_quarantine")
FAILURES = pa.list_(
    pa.struct([("column", pa.string()), ("rule", pa.string()), ("value", pa.string())])
)
STAMP = pa.timestamp("us", tz="UTC")


def rejected(*rows):
    """Return rows as the gate rejects them: (identity, row as it came, column, value)."""
    count = len(rows)
    return pa.table(
        {
            "_row": pa.array([row for _, row, _, _ in rows], pa.map_(pa.string(), pa.string())),
            "_failures": pa.array(
                [[{"column": c, "rule": "isin", "value": v}] for _, _, c, v in rows], FAILURES
            ),
            "_op": ["u"] * count,
            "_sequence": [f"0{n}" for n in range(count)],
            "_source_ts": pa.array([None] * count, STAMP),
            "_source": ["a.jsonl"] * count,
            "_origin": ["real"] * count,
            "_row_id": [identity for identity, *_ in rows],
            "_batch": pa.array([3] * count, pa.int64()),
        }
    )


REJECTED = rejected(
    ("id-1", [("order_id", "1"), ("status", "Secretive")], "status", "Secretive"),
    ("id-2", [("_line", '{"torn": "Secretive')], "_line", '{"torn": "Secretive'),
)


def batch_of(settings, *, personal):
    """Return a batch of orders, of which the state may be personal."""
    document = orders.document()
    if personal:
        document["schema"][0]["properties"][3]["classification"] = "personal"
    orders.write_contract(settings.contracts, document)
    contract = load_domain(settings.contracts, "shop")["orders"]
    tables = Tables.at(settings)
    seal = Seal.at(settings) if personal else None
    return Batch(contract, Run(7, "shop", tables), tables, 1, 2, seal=seal)


@pytest.mark.parametrize("personal", [False, True])
def test_a_rejected_row_is_open_with_its_reasons_and_its_place(settings, personal):
    """A value of a personal column, and a line that may have one, are sealed; the key opens them."""
    batch = batch_of(settings, personal=personal)
    rows = as_rows(batch, REJECTED)
    assert ("Secretive" in repr(rows.to_pylist())) is not personal
    first, second = (
        unsealed(rows, batch.contract, batch.seal).to_pylist() if personal else rows.to_pylist()
    )
    assert dict(first["row"]) == {"order_id": "1", "status": "Secretive"}
    assert dict(second["row"]) == {"_line": '{"torn": "Secretive'}
    assert [f["value"] for f in first["failures"]] == ["Secretive"]
    assert (first["status"], first["_batch"], first["_bronze_batch"]) == ("open", 7, 3)
    assert (first["contract_version"], first["settled_batch"]) == ("1.0.0", None)
    # the identity of a personal row cannot be computed by who knows its values
    assert (first["_row_id"] == "id-1") is not personal


def test_many_rows_are_sealed_as_few_are(spark, settings):
    """The frame of a large batch has the columns and types of the rows of a small one."""
    batch = batch_of(settings, personal=True)
    few, many = as_rows(batch, REJECTED), as_frame(batch, spark.createDataFrame(REJECTED)).toArrow()
    assert many.column_names == few.column_names
    assert "secretive" not in repr(many.to_pylist()).casefold()
    assert repr(many.to_pylist()).count(PREFIX) == repr(few.to_pylist()).count(PREFIX) == 4
    assert many["_row_id"].to_pylist() == few["_row_id"].to_pylist()
    opened = unsealed(many, batch.contract, batch.seal).to_pylist()
    assert [dict(row["row"]) for row in opened] == [
        dict(row) for row in REJECTED["_row"].to_pylist()
    ]


def test_a_replay_records_what_became_of_each_row(settings):
    """A resolved row is replayed by this run and keeps its reasons; one that fails has today's."""
    batch = batch_of(settings, personal=False)
    three = rejected(*[(f"id-{n}", [("order_id", str(n))], "status", "x") for n in (1, 2, 3)])
    batch.tables.append(QUARANTINE, as_rows(batch, three))
    stored = pa.Table.from_pylist(batch.tables.rows(QUARANTINE))
    columns = ["_row_id", "_bronze_batch", "failures"]
    resolved = stored.select(columns).slice(0, 1)
    now = [[{"column": "amount", "rule": "minimum", "value": "-1"}]]
    changed = (
        stored.select(columns[:2]).slice(1, 1).append_column("failures", pa.array(now, FAILURES))
    )

    record_outcomes(batch, pa.concat_tables([resolved, resolved]), changed)
    rows = {row["_row_id"]: row for row in batch.tables.rows(QUARANTINE)}
    first, second, third = (rows[f"id-{n}"] for n in (1, 2, 3))
    assert (first["status"], first["settled_batch"]) == ("replayed", 7)
    assert first["settled_at"] is not None
    assert [f["column"] for f in first["failures"]] == ["status"]
    assert (second["status"], second["settled_batch"]) == ("open", None)
    assert [f["column"] for f in second["failures"]] == ["amount"]
    assert (third["status"], [f["column"] for f in third["failures"]]) == ("open", ["status"])
    assert len(rows) == 3
