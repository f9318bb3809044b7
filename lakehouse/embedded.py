"""DuckDB inside the process, for joins over Arrow tables where no JVM is worth starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def connection() -> DuckDBPyConnection:
    """Return an in-memory connection on UTC that never asks the network for an extension.

    The time zone is set after connecting: as an option of the connection it comes before the
    built-in extension that knows time zones, and DuckDB tries to download that for half a minute.
    """
    import duckdb

    opened = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    opened.execute("set TimeZone = 'UTC'")
    return opened
