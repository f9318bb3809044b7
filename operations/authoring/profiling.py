"""Profiles data for a first contract: files, Delta tables, tables behind JDBC."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.evolution.draft import EMAIL, FEW_VALUES, PHONE, ColumnProfile, Profile
from contracts.sql import quoted
from lakehouse.engine.duckdb import connection
from lakehouse.errors import UsageError
from lakehouse.layers import STORED
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from lakehouse.settings import Settings

# Rows read of a table behind JDBC
JDBC_ROWS = 1_000_000
# Columns tried in pairs for a key of two
PAIRED = 8
READERS = {
    ".csv": "read_csv(?, sample_size=-1)",
    ".tsv": "read_csv(?, sample_size=-1)",
    ".parquet": "read_parquet(?)",
    ".json": "read_json(?)",
    ".jsonl": "read_json(?, format='newline_delimited')",
    ".ndjson": "read_json(?, format='newline_delimited')",
}
SPARK_TYPES = {
    "BOOLEAN": "boolean", "TINYINT": "tinyint", "SMALLINT": "smallint", "INTEGER": "int",
    "BIGINT": "bigint", "UTINYINT": "smallint", "USMALLINT": "int", "UINTEGER": "bigint",
    "UBIGINT": "decimal(20,0)", "HUGEINT": "decimal(38,0)", "FLOAT": "float", "DOUBLE": "double",
    "DATE": "date", "BLOB": "binary",
}  # fmt: skip


def profile(settings: Settings, source: str, table: str = "") -> Profile:
    """Return the profile of a file, a table or a JDBC URL; `table` names the one behind a URL.

    Raises:
        UsageError: the source does not exist or cannot be read.
    """
    if table and not source.startswith("jdbc:"):
        raise UsageError("--table names a table behind a JDBC URL, and this is no JDBC URL")
    with connection() as database:
        _load(database, settings, source, table)
        # The parts before and after a URL's address may contain credentials
        address = re.sub(r"//[^/@]*@", "//", re.split("[?;]", source)[0])
        shown = f"{address} {table}" if table else Path(source).name
        return _profiled(database, shown)


def _load(database: DuckDBPyConnection, settings: Settings, source: str, table: str) -> None:
    """Load the rows into the table `data`."""
    layer, dot, _ = source.partition(".")
    if source.startswith("jdbc:"):
        database.register("arrived", _from_jdbc(settings, source, table))
    elif dot and layer in STORED:
        stored = Tables.at(settings).open(TableName.parse(source))
        if stored is None:
            raise UsageError(f"{source} does not exist in {settings.warehouse}")
        database.register("arrived", stored.scan())
    elif Path(source, "_delta_log").is_dir():
        from deltalake import DeltaTable

        database.register("arrived", DeltaTable(source).scan())
    else:
        _from_file(database, Path(source))
        return
    database.execute("create table data as select * from arrived")


def _from_file(database: DuckDBPyConnection, path: Path) -> None:
    import duckdb

    reader = READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        kinds = ", ".join(READERS)
        raise UsageError(
            f"{path}: no file ({kinds}), no Delta table, no <layer>.<domain>__<table>, no jdbc: URL"
        )
    try:
        database.execute(f"create table data as select * from {reader}", [str(path)])
    except duckdb.Error as error:
        raise UsageError(f"{path}: not readable: {str(error).splitlines()[0]}") from None


def _from_jdbc(settings: Settings, url: str, table: str) -> Any:
    """Return up to a million rows by Spark; user and password come from the environment."""
    import os

    from lakehouse.engine.session import spark

    if not table:
        raise UsageError("a JDBC URL needs --table")
    options = {
        key: os.environ[f"LAKEHOUSE_JDBC_{key.upper()}"]
        for key in ("user", "password", "driver")
        if os.environ.get(f"LAKEHOUSE_JDBC_{key.upper()}")
    }
    try:
        reader = (
            spark(settings, short=True)
            .read.format("jdbc")
            .options(url=url, dbtable=table, **options)
        )
        return reader.load().limit(JDBC_ROWS).toArrow()
    except Exception as error:  # noqa: BLE001 - drivers have errors of their own
        if "No suitable driver" in str(error) or "ClassNotFoundException" in str(error):
            kind = url.split(":")[1]
            raise UsageError(
                f"no JDBC driver for {kind}: put its jar into {settings.tools / 'jars'}"
            ) from None
        # A driver's message may contain the URL, and a URL a password
        reason = re.sub(r"password=[^&;\s]*", "password=...", str(error).splitlines()[0])
        raise UsageError(f"{table}: not readable over JDBC: {reason[:300]}") from None


def _profiled(database: DuckDBPyConnection, source: str) -> Profile:
    columns = [
        (name, kind)
        for name, kind, *_ in database.execute("describe data").fetchall()
        if not name.startswith("_") and not name.endswith("_hk")
    ]
    if not columns:
        raise UsageError(f"{source}: no column to describe")
    (rows,) = database.execute("select count(*) from data").fetchall()[0]
    profiles = tuple(_column(database, name, kind, rows) for name, kind in columns)
    return Profile(source, rows, profiles, tuple(_keys(database, profiles, rows)))


def _column(database: DuckDBPyConnection, name: str, kind: str, rows: int) -> ColumnProfile:
    value, spark_type = quoted(name), _spark_type(kind)
    nested = spark_type.startswith(("array", "map", "struct")) or spark_type == "binary"
    text = spark_type == "string"
    low, high = ("null", "null") if nested or text else (f"min({value})", f"max({value})")
    share = f"avg(case when regexp_matches(trim({value}::varchar), ?) then 1 else 0 end)"
    share = f"coalesce({share} filter ({value} is not null), 0)" if text else "0 + 0 * length(?)"
    nulls, distinct, least, most, longest, emails, phones = database.execute(
        f"select count(*) - count({value}), count(distinct {value}), {low}, {high}, "
        f"{f'max(length({value}::varchar))' if text else 'null'}, {share}, {share} from data",
        [EMAIL, PHONE],
    ).fetchall()[0]
    is_enum = text and 0 < distinct <= FEW_VALUES and rows - nulls >= 10 * distinct
    listed = f"select distinct {value}::varchar from data where {value} is not null order by 1"
    return ColumnProfile(
        name=name,
        type=spark_type,
        nulls=nulls,
        distinct=distinct,
        low=least if not text else (distinct or None),
        high=most,
        longest=longest,
        values=tuple(row[0] for row in database.execute(listed).fetchall()) if is_enum else (),
        emails=emails,
        phones=phones,
    )


def _keys(
    database: DuckDBPyConnection, columns: tuple[ColumnProfile, ...], rows: int
) -> Iterator[tuple[str, ...]]:
    """Yield the columns that are unique, else the unique pairs of columns; the likeliest first."""
    usable = [
        column
        for column in columns
        if rows and not column.nulls and column.type not in ("float", "double", "binary", "boolean")
        and not column.type.startswith(("array", "map", "struct"))
    ]  # fmt: skip
    usable.sort(key=lambda column: not column.name.endswith("id"))
    single = [(column.name,) for column in usable if column.distinct == rows]
    yield from single
    if single:
        return
    usable.sort(key=lambda column: -column.distinct)
    for pair in combinations(sorted(usable[:PAIRED], key=columns.index), 2):
        if pair[0].distinct * pair[1].distinct >= rows:
            names = tuple(column.name for column in pair)
            listed = ", ".join(map(quoted, names))
            query = f"select count(*) from (select distinct {listed} from data)"
            if database.execute(query).fetchall()[0][0] == rows:
                yield names


def _spark_type(kind: str) -> str:
    """Return Spark's name of a DuckDB type; text for a type that Spark has not."""
    if kind.endswith("[]"):
        return f"array<{_spark_type(kind[:-2])}>"
    if kind.startswith("DECIMAL"):
        return kind.lower().replace(" ", "")
    if kind.startswith("TIMESTAMP"):
        return "timestamp"
    if kind.startswith(("STRUCT", "MAP")):
        return "map<string,string>"
    return SPARK_TYPES.get(kind, "string")
