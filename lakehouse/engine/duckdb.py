"""DuckDB inside the process, for joins over Arrow and Delta tables where no JVM is worth starting."""

# pyarrow ships no types
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from contracts.sql import quoted

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from duckdb import DuckDBPyConnection

# Types whose values the name of a partition's folder has as they are
PLAIN = {"date": "DATE", "integer": "INTEGER", "long": "BIGINT"}


def connection() -> DuckDBPyConnection:
    """Return an in-memory connection on UTC that never asks the network for an extension.

    The time zone is set after connecting: as an option of the connection it comes before the
    built-in extension that knows time zones, and DuckDB tries to download that for half a minute.
    """
    import duckdb

    opened = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    opened.execute("set TimeZone = 'UTC'")
    return opened


def show(database: DuckDBPyConnection, name: str, table: DeltaTable) -> None:
    """Make a version of a Delta table readable by a name.

    DuckDB reads the files itself where they are all that there is to know. Otherwise they come
    through Arrow, where listing some hundred files to a reader takes as long as reading them.

    Raises:
        DeltaError: it takes more than delta-rs to read the table.
    """
    types = {field.name: str(getattr(field.type, "type", "")) for field in table.schema().fields}
    parts = table.metadata().partition_columns
    files = [unquote(file) for file in table.file_uris()]
    plain = table.protocol().min_reader_version == 1 and all(types[c] in PLAIN for c in parts)
    if not files or not plain or any(set(file) & set("*?[") or "://" in file for file in files):
        database.register(name, table.to_pyarrow_dataset())
        return
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    hive = ", ".join(f"{quoted(c)}: {PLAIN[types[c]]}" for c in parts)
    hive = f"true, hive_types = {{{hive}}}" if parts else "false"
    columns = ", ".join(map(quoted, types))
    database.execute(
        f"create view {quoted(name)} as select {columns} "
        f"from read_parquet([{listed}], union_by_name = true, hive_partitioning = {hive})"
    )
