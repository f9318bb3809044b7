"""Runs the Spark SQL that contracts compile to in DuckDB, where both mean the same: no JVM."""

from __future__ import annotations

import duckdb
import sqlglot
from sqlglot import exp


def run(query, **tables):
    """Return the rows of a query in Spark's SQL as dicts; `tables` are Arrow tables by name."""
    text = sqlglot.transpile(query, read="databricks", write="duckdb")[0]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create macro arrays_overlap(a, b) as list_has_any(a, b)")
        for name, table in tables.items():
            connection.register(name, table)
        cursor = connection.execute(text)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def value(expression, columns="1 as x"):
    """Return the value of an expression in Spark's SQL over one row of columns."""
    (row,) = run(f"select {expression} as value from (select {columns})")
    return row["value"]


def names_in(expression):
    """Return the columns that an expression in Spark's SQL reads."""
    return {column.name for column in sqlglot.parse_one(expression, read="databricks").find_all(exp.Column)}  # fmt: skip
