"""Bookmarks: how far a reader came, committed together with the rows that it wrote.

A bookmark is a Delta `txn` action, (application, number), in the log of the table that the reader
writes: the idempotency key of its append. Rows and bookmark are one commit, so they never disagree:
a run that dies before it has read nothing, and one that dies after it is not repeated.

| reader | bookmark in the log of | application | number | committed by |
|---|---|---|---|---|
| bronze, of landed files | the bronze table | `capture` | the run, which is the batch | `bronze.capture`, with a dataset's rows |
| silver, of bronze | the events table | the bronze table | the last batch that was loaded | `silver.small_batch` and `silver.large_batch`, in the last commit of the load |
| silver's rejected rows | the quarantine table | the bronze table | the last batch whose rejected rows are in it | the same, in the commit of the rejected rows |
| enrichment | the results table | source and model | the version of the source | `platinum.enrichment.enrichment`, when no text is pending |
| scoring | the scores table | table and stream | the stream's micro-batch | `platinum.scoring.micro_batch` |

Gold has none: a publication (`gold.publish`) records the versions of silver that it was built from.
A rollback writes each bookmark back, see `lakehouse.storage.restore`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.storage.table_log import bookmark

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from lakehouse.storage.tables import TableName, Tables

# The application by which a bronze table has the last run that captured files into it
CAPTURE = "capture"
# The number where nothing was read yet
NONE = -1


def captured_batch(tables: Tables, bronze: TableName) -> int:
    """Return the last batch that a bronze table has, -1 for none."""
    return _number(tables.open(bronze), CAPTURE)


def consumed_batch(tables: Tables, name: TableName, upstream: TableName) -> int:
    """Return how far a table has read its upstream: the last batch or version, -1 for none."""
    return _number(tables.open(name), str(upstream))


def newest_offset(table: DeltaTable) -> int:
    """Return the bookmark of a reader that is up to date: the last batch, else the version."""
    batch = bookmark(table, CAPTURE)
    return table.version() if batch is None else batch


def applications(tables: Tables, domain: str) -> list[str]:
    """Return the applications that may have a bookmark in a table of a domain."""
    return [CAPTURE, *map(str, tables.names(domain))]


def _number(table: DeltaTable | None, application: str) -> int:
    number = bookmark(table, application)
    return NONE if number is None else number
