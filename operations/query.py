"""Read-only SQL over stored tables and views, run by Spark."""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.settings import Settings
    from lakehouse.storage.tables import TableName

DEFAULT_LIMIT = 100
# They call any Java method: with them a query could do more than read
FORBIDDEN = {"reflect", "java_method", "try_reflect"}


@dataclass(frozen=True)
class QueryResult:
    """The first rows of a query's result; `more` is true where rows were cut off."""

    columns: list[tuple[str, str]]
    rows: list[tuple[Any, ...]]
    more: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values, a row an object.

        Raises:
            UsageError: two columns have one name.
        """
        from lakehouse.errors import UsageError

        names = [name for name, _ in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(
                f"several columns are called {', '.join(twice)}: rename them with `as`"
            )
        return {
            "columns": [{"name": name, "type": kind} for name, kind in self.columns],
            "rows": [dict(zip(names, row, strict=True)) for row in self.rows],
            "truncated": self.more,
        }


def tables_of(settings: Settings, query: str) -> list[TableName]:
    """Return the tables a query reads; raise UsageError unless it only reads, and only stored ones."""
    from lakehouse.errors import UsageError
    from lakehouse.storage.catalog import names_in

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    names = names_in(query)
    refuse_calls(query)
    there = readable_tables(settings, {name.domain for name in names})
    missing = [name for name in names if name not in there]
    if missing:
        stored = sorted(map(str, there))
        raise UsageError("\n".join(_unknown(str(name), stored) for name in missing))
    return names


def readable_tables(settings: Settings, domains: set[str]) -> set[TableName]:
    """Return every stored table, and the views of the domains."""
    from gold.publish import views
    from lakehouse.storage.catalog import vault_views
    from lakehouse.storage.tables import TableName, Tables

    tables = Tables.at(settings)
    there = set(tables.names())
    for domain in domains - {""}:
        # Views may read views: two passes reach the tables of each
        for _ in range(2):
            for view, (_query, needed) in vault_views(settings, domain).items():
                if all(TableName("silver", table) in there for table in needed):
                    there.add(TableName("silver", view))
        there |= set(views(tables, domain))
    return there


def _unknown(name: str, there: list[str]) -> str:
    similar = difflib.get_close_matches(name, there, n=3, cutoff=0.7)
    if not similar:
        return f"no table {name}; `lakehouse status` lists what there is"
    return f"no table {name}; did you mean {' or '.join(similar)}?"


def refuse_calls(query: str) -> None:
    """Raise UsageError for a query that does not parse, or calls a function that can do more than read."""
    import sqlglot
    from sqlglot import exp

    from lakehouse.errors import UsageError

    for call in sqlglot.parse_one(query, read="spark").find_all(exp.Anonymous):
        if str(call.this).casefold() in FORBIDDEN:
            raise UsageError(f"the function {call.this} is not allowed: a query only reads")


def check_condition(where: str) -> None:
    """Raise UsageError unless a condition on a table's columns only reads; an empty one does."""
    from lakehouse.storage.catalog import names_in

    if where:
        names_in(f"select 1 where {where}")
        refuse_calls(f"select 1 where {where}")


def frame(settings: Settings, query: str) -> DataFrame:
    """Return the query's rows; gold tables as they were last published."""
    from lakehouse.engine.session import boot, spark

    names = tables_of(settings, query)
    boot(settings, short=True)  # starts while pyspark is imported
    from pyspark.errors import AnalysisException, ParseException
    from pyspark.logger import PySparkLogger

    from lakehouse.errors import UsageError

    session = spark(settings, short=True)
    # It logs every refused query, with a trace, to stderr; the error has the same in one line
    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    try:
        _register(session, settings, names)
        return session.sql(query)
    except (AnalysisException, ParseException) as error:
        raise UsageError(_first_line(str(error))) from None


def _register(session: SparkSession, settings: Settings, names: list[TableName]) -> None:
    """Register the tables a query reads: gold at its published versions, published views by their query."""
    from gold.publish import published, views
    from lakehouse.storage.catalog import names_in, register
    from lakehouse.storage.tables import Tables

    tables = Tables.at(settings)
    pinned: dict[TableName, int] = {}
    view_queries: dict[TableName, str] = {}
    for domain in {name.domain for name in names if name.layer == "gold"}:
        pinned |= published(tables, domain)
        view_queries |= views(tables, domain)
    register(session, settings, [name for name in names if name not in view_queries], pinned=pinned)
    for name in names:
        if name in view_queries:
            _register(session, settings, names_in(view_queries[name]))
            session.sql(
                f"create or replace view {name.layer}.`{name.table}` as {view_queries[name]}"
            )


def _first_line(message: str) -> str:
    """Return Spark's message without its query plan and trace."""
    return message.partition("\n\nJVM stacktrace")[0].partition(";\n'")[0].strip()


def run_query(rows: DataFrame, limit: int) -> QueryResult:
    """Return the first `limit` rows, all of them for 0."""
    kinds = [(field.name, field.dataType.simpleString()) for field in rows.schema.fields]
    fetched = values(rows.limit(limit + 1) if limit else rows)
    first_rows = fetched[:limit] if limit else fetched
    return QueryResult(kinds, first_rows, more=len(first_rows) < len(fetched))


def values(rows: DataFrame) -> list[tuple[Any, ...]]:
    """Return the rows as Python values; two columns may have one name."""
    columns = [column.to_pylist(maps_as_pydicts="lossy") for column in rows.toArrow().columns]
    return list(zip(*columns, strict=True))
