"""The SQL catalog: the folders of the warehouse, registered in a session when a query needs them."""

# PySpark has partial types
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.compilers.vault_sql import views
from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.errors import UsageError
from lakehouse.layers import STORED
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import SparkSession

    from lakehouse.settings import Settings


# What this process has put into a session's catalog: names, and the text of each view. A session
# outlives many registrations, and each of them costs a fifth of a second.
_registered: dict[TableName, str] = {}


def create_layers(spark: SparkSession) -> None:
    """Create the database of each layer in the session's catalog, where it is not there yet."""
    existing = {database.name for database in spark.catalog.listDatabases()}
    for layer in STORED:
        if layer not in existing:
            spark.sql(f"create database if not exists {layer}")
            for name in [name for name in _registered if name.layer == layer]:
                del _registered[name]


def register(
    spark: SparkSession,
    settings: Settings,
    names: Iterable[TableName],
    *,
    pinned: Mapping[TableName, int] | None = None,
) -> list[TableName]:
    """Register tables, and views with what they read; return the names that exist.

    A name in `pinned` is registered as a view of that version: what was published, whatever a
    run is doing to the table now.
    """
    create_layers(spark)
    requested = list(names)
    views = {
        TableName("silver", view): query
        for domain in {name.domain for name in requested if name.layer == "silver"}
        for view, query in vault_views(settings, domain).items()
    }
    return _register(spark, Tables.at(settings), requested, views, pinned or {})


def _register(
    spark: SparkSession,
    tables: Tables,
    names: Iterable[TableName],
    views: Mapping[TableName, tuple[str, list[str]]],
    pinned: Mapping[TableName, int],
) -> list[TableName]:
    registered: list[TableName] = []
    for name in names:
        path = tables.path(name)
        if name in views:
            query, reads = views[name]
            needed = [TableName("silver", table) for table in reads]
            if len(_register(spark, tables, needed, views, pinned)) < len(needed):
                continue
            text = f"create or replace view {_quoted(name)} as {query}"
        elif not tables.exists(name):
            continue
        elif name in pinned:
            text = (
                f"create or replace view {_quoted(name)} as "
                f"select * from delta.`{path}` version as of {pinned[name]}"
            )
        else:
            text = f"create table if not exists {_quoted(name)} using delta location '{path}'"
        if _registered.get(name) != text:
            spark.sql(text)
            _registered[name] = text
        registered.append(name)
    return registered


def vault_views(settings: Settings, domain: str) -> dict[str, tuple[str, list[str]]]:
    """Return the vault views of a domain, by table name; none for a domain without contracts."""
    if domain not in domains(settings.contracts):
        return {}
    return views(load_domain(settings.contracts, domain).values(), domain)


def names_in(query: str) -> list[TableName]:
    """Return the lakehouse tables a SQL text reads; raise UsageError for a text that is no query."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError

    try:
        statements = [s for s in sqlglot.parse(query, read="spark") if s is not None]
    except ParseError as error:
        raise UsageError(f"not readable as SQL: {str(error).splitlines()[0]}") from None
    reading = (exp.Query, exp.Describe, exp.Show)
    if len(statements) != 1 or not isinstance(statements[0], reading):
        raise UsageError("only one statement, and only one that reads: select, with, describe")
    tables = {
        TableName(table.db, table.name)
        for table in statements[0].find_all(exp.Table)
        if table.db in STORED
    }
    return sorted(tables)


def _quoted(name: TableName) -> str:
    return f"`{name.layer}`.`{name.table}`"
