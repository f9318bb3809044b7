"""Pending rows are known from table logs, without a JVM: whether silver has anything to do."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts.parsing.load import load_domain
from lakehouse.runs.bookmarks import CAPTURE
from lakehouse.storage.tables import TableName, Tables
from silver.late_events import newest_position
from silver.pending import PendingRows, consumed_and_newest, pending_bytes, pending_rows
from tests import orders

BRONZE = TableName.of("bronze", "shop", "orders")
EVENTS = TableName("silver", "shop__sat_placed")


@pytest.fixture
def contract(settings):
    """The contract of orders."""
    orders.write_contract(settings.contracts)
    return load_domain(settings.contracts, "shop")["orders"]


@pytest.fixture
def tables(settings):
    """The tables of an empty home."""
    return Tables.at(settings)


def capture(tables, batch, *positions):
    """Append a batch to bronze, as a capture does."""
    rows = {"_batch": pa.array([batch] * len(positions), pa.int64()),
            "_sequence": pa.array(positions, pa.string())}  # fmt: skip
    tables.append(BRONZE, pa.table(rows), idempotency_key=(CAPTURE, batch))


def load(tables, batch, *positions):
    """Append events to silver, with the bookmark of bronze."""
    rows = pa.table({"_sequence": pa.array(positions, pa.string())})
    tables.append(EVENTS, rows, idempotency_key=(str(BRONZE), batch))


def test_silver_has_nothing_to_do_up_to_its_bookmark(tables, contract):
    """The bookmark is in the commit of the events; a batch without good rows moves it, too."""
    assert consumed_and_newest(tables, contract) == (-1, -1)
    capture(tables, 3, "05", "07")
    assert consumed_and_newest(tables, contract) == (-1, 3)
    load(tables, 3, "05")
    assert consumed_and_newest(tables, contract) == (3, 3)
    capture(tables, 4, "06")
    load(tables, 4)
    assert consumed_and_newest(tables, contract) == (4, 4)
    assert pending_bytes(tables, contract) == 0


def test_pending_rows_are_those_after_the_bookmark(tables, contract):
    """Their number and their least position come from the statistics of the files."""
    assert pending_rows(tables, contract, -1) == PendingRows(0, None)
    capture(tables, 1, "05", "07")
    capture(tables, 2, "04", "09", "08")
    assert pending_rows(tables, contract, -1) == PendingRows(5, "04")
    assert pending_rows(tables, contract, 1) == PendingRows(3, "04")
    assert pending_rows(tables, contract, 2) == PendingRows(0, None)


def test_without_positions_the_least_one_is_not_known(tables, contract):
    """A file of which no row has a position has no statistics of it: then any may be the least."""
    capture(tables, 1, "05")
    capture(tables, 2, None)
    assert pending_rows(tables, contract, 0) == PendingRows(2, None)


def test_a_compaction_over_the_bookmark_leaves_no_count(tables, contract):
    """Old and new rows in one file: how many are new cannot be read from the log."""
    capture(tables, 1, "05")
    capture(tables, 2, "06")
    tables.open(BRONZE).optimize.compact()
    assert pending_rows(tables, contract, 1) == PendingRows(None, None)
    assert pending_rows(tables, contract, 0) == PendingRows(2, "05")


def test_pending_bytes_are_those_of_files_with_unread_rows(tables, contract):
    """A run's size is known before anything is started."""
    capture(tables, 1, "05")
    first = pending_bytes(tables, contract)
    load(tables, 1, "05")
    capture(tables, 2, "06")
    files = tables.open(BRONZE).get_add_actions(flatten=True).column("size_bytes").to_pylist()
    assert pending_bytes(tables, contract) == sum(files) - first > 0


def test_an_event_is_late_up_to_the_newest_position(tables):
    """None where nothing is stored, and where the newest commit has no rows."""
    assert newest_position(tables, EVENTS) is None
    load(tables, 1, "05", "07")
    load(tables, 2)
    assert newest_position(tables, EVENTS) == "07"
