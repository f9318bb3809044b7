"""A truncate deletes every key that was there before it, also one that comes to light after it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts.parsing.load import load_domain
from lakehouse.runs.ledger import Run
from lakehouse.storage.tables import TableName, Tables
from silver import truncates
from silver.batch import Batch
from tests import orders

EVENTS = TableName("silver", "shop__sat_placed")
TRUNCATES = TableName("silver", "shop__sat_placed_truncates")
STAMP = pa.timestamp("us", tz="UTC")


@pytest.fixture
def batch(settings):
    """A batch of orders in an empty home."""
    orders.write_contract(settings.contracts)
    contract = load_domain(settings.contracts, "shop")["orders"]
    tables = Tables.at(settings)
    return Batch(contract, Run(7, "shop", tables), tables, 1, 2)


def decided(spark, *rows):
    """Return rows with their outcome: (order, position, outcome)."""
    return spark.createDataFrame(
        pa.table(
            {
                "order_id": pa.array([number for number, _, _ in rows], pa.int64()),
                "_sequence": [position for _, position, _ in rows],
                "_outcome": [outcome for _, _, outcome in rows],
                "_source_ts": pa.array([None] * len(rows), STAMP),
                "_origin": ["real"] * len(rows),
            }
        )
    )


def closed(frame):
    """Return (order, position) of the deletes, after checking that they are ones of this run."""
    rows = frame.select("order_id", "_sequence", "_op", "_batch", "status").toArrow().to_pylist()
    assert {(r["_op"], r["_batch"], r["status"]) for r in rows} <= {("d", 7, None)}
    return sorted((r["order_id"], r["_sequence"]) for r in rows)


def store(batch, *events):
    """Store events, as a load does: (order, position)."""
    batch.tables.append(
        EVENTS,
        pa.table(
            {
                "order_id": pa.array([number for number, _ in events], pa.int64()),
                "_sequence": [position for _, position in events],
            }
        ),
    )


def test_without_a_truncate_nothing_is_closed(spark, batch):
    """A table that was never truncated costs no job."""
    rows = decided(spark, (1, "01", "valid"))
    assert truncates.deletes(spark, batch, rows, came=False) is None
    assert truncates.deletes_of_keys(spark, batch, rows) is None


def test_a_truncate_deletes_what_is_stored_and_what_came_before_it(spark, batch):
    """Keys from before the truncate, of this batch or of an earlier one; later keys stay."""
    store(batch, (1, "01"), (2, "09"))
    rows = decided(
        spark, (3, "02", "valid"), (4, "08", "valid"), (5, "01", "quarantined"),
        (None, "05", "truncate"), (None, "05", "truncate"),
    )  # fmt: skip
    assert closed(truncates.deletes(spark, batch, rows, came=True)) == [(1, "05"), (3, "05")]
    assert [row["_sequence"] for row in batch.tables.rows(TRUNCATES)] == ["05"]


def test_a_late_event_is_deleted_by_the_truncates_after_it(spark, batch):
    """Stored truncates close what comes to light; those that closed a key already do not again."""
    batch.tables.append(
        TRUNCATES,
        pa.table(
            {
                "_sequence": ["05", "20"],
                "_source_ts": pa.array([None] * 2, STAMP),
                "_origin": ["real"] * 2,
            }
        ),
    )
    store(batch, (1, "01"), (1, "05"))
    late = decided(spark, (1, "02", "valid"), (2, "04", "valid"), (3, "30", "valid"))
    assert closed(truncates.deletes(spark, batch, late, came=False)) == [
        (1, "20"), (2, "05"), (2, "20"),
    ]  # fmt: skip
    assert closed(truncates.deletes_of_keys(spark, batch, late)) == [
        (1, "05"), (1, "20"), (2, "05"), (2, "20"),
    ]  # fmt: skip
