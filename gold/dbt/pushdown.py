"""Queries of Delta tables that take no Spark job: run by DuckDB in milliseconds instead of seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from lakehouse.engine.duckdb import connection, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from deltalake import DeltaTable

# What means the same in Spark and in DuckDB. All else is Spark's to run: products and quotients, the
# functions of text and of time of day, windows, orders, and what takes rows apart.
SHAPE = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Table,
    exp.TableAlias, exp.Alias, exp.Identifier, exp.Column, exp.Star, exp.Where, exp.Group, exp.Having,
    exp.Distinct, exp.Paren, exp.Tuple, exp.Literal, exp.Null, exp.Boolean, exp.Var,
    exp.DataType, exp.DataTypeParam, exp.PropertyEQ,
)  # fmt: skip
CONDITIONS = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.GT, exp.GTE, exp.LT,
    exp.LTE, exp.Is, exp.In, exp.Between, exp.Case, exp.If, exp.Coalesce,
)  # fmt: skip
VALUES = (
    exp.Count, exp.CountIf, exp.Sum, exp.Min, exp.Max, exp.Least, exp.Greatest,
    exp.TsOrDsAdd, exp.TimestampTrunc, exp.Add, exp.Sub, exp.Neg,
)  # fmt: skip
# What a day is truncated to; Spark makes null of a shorter span
UNITS = ("week", "month", "quarter", "year")
MEMORY = "2GB"
# Of literals only
CONSTANTS = (exp.Unhex, exp.Repeat, exp.Cast)


def push_down(
    query: str, warehouse: str, cached: Mapping[str, pa.Table] | None = None
) -> pa.Table | None:
    """Return the rows of a query in Spark's SQL over the newest versions of the warehouse's tables.

    `cached` are further tables, by the name that the query gives them. None where it takes Spark to
    run it: the query reads a view or a table that delta-rs cannot read, or asks for more than stored
    values, counts, sums, least and greatest values, and days so many days on, under conditions and
    joins on them. A date may come as an instant: types are for the reader to set.
    """
    import duckdb
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        parsed = sqlglot.parse_one(query, read="spark").transform(_strict)
        _refuse_more(parsed)
        parsed = parsed.transform(_dated).transform(_kept_from_arrow)
        read = dict(_stored(parsed, warehouse, cached or {}))
        text = parsed.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
        with connection() as database:
            # What takes more is Spark's, which knows where to put what memory does not hold.
            database.execute(f"set memory_limit = '{MEMORY}'; set temp_directory = ''")
            for name, rows in read.items():
                if isinstance(rows, DeltaTable):
                    show(database, name, rows)
                else:
                    database.register(name, rows)
            return database.sql(text).to_arrow_table()
    except (SqlglotError, duckdb.Error, DeltaError, LookupError):
        return None


def _strict(part: exp.Expr) -> exp.Expr:
    """Return a cast that fails as Spark's does, instead of one that yields null."""
    return exp.Cast(**part.args) if isinstance(part, exp.TryCast) else part


def _dated(part: exp.Expr) -> exp.Expr:
    """Return a day that is moved or truncated as a day.

    DuckDB makes an instant of it, and compares that with days one by one, instead of skipping the
    files that hold none.
    """
    moved = isinstance(part, (exp.TsOrDsAdd, exp.DateTrunc))
    return exp.cast(part, "date") if moved and not isinstance(part.parent, exp.Cast) else part


def _kept_from_arrow(part: exp.Expr) -> exp.Expr:
    """Return a comparison with literal bytes so that it is not left to Arrow, which cannot do it."""
    if isinstance(part, exp.Predicate) and isinstance(part.args.get("expression"), exp.Unhex):
        nothing = exp.Unhex(this=exp.Literal.string(""))
        part.set("this", exp.DPipe(this=part.this, expression=nothing))
    return part


def _refuse_more(query: exp.Expr) -> None:
    by_name = any(j.args.get("using") or j.method == "NATURAL" for j in query.find_all(exp.Join))
    if by_name and any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star)):
        raise LookupError("the engines order the columns of * differently after a join by name")
    for part in query.walk():
        constant = isinstance(part, CONSTANTS) and not part.find(exp.Column)
        same = constant or isinstance(part, (*SHAPE, *CONDITIONS, *VALUES)) or _is_equal(part)
        if not same:
            raise LookupError(f"{part.sql()} takes Spark to run")


def _is_equal(part: exp.Expr) -> bool:
    """Return whether this is a row's columns at an extreme, a day's span, or a cast as both do.

    They do a day, an extreme to text, and a sum to decimals; other values they round and write
    differently.
    """
    if isinstance(part, exp.ArgMax):
        return isinstance(part.this, exp.Struct)
    if isinstance(part, exp.DateTrunc):
        return part.text("unit").lower() in UNITS
    if isinstance(part, exp.Struct):
        return isinstance(part.parent, exp.ArgMax)
    if not isinstance(part, exp.Cast):
        return False
    if isinstance(part.this, (exp.Min, exp.Max)) and part.is_type(*exp.DataType.TEXT_TYPES):
        return True
    return part.is_type("date") or (isinstance(part.this, exp.Sum) and part.is_type("decimal"))


def _stored(
    query: exp.Expr, warehouse: str, cached: Mapping[str, pa.Table]
) -> Iterator[tuple[str, DeltaTable | pa.Table]]:
    """Yield each table that a query reads by the one name that it is given in the query."""
    from deltalake import DeltaTable

    for scope in traverse_scope(query):
        for table in scope.sources.values():
            if not isinstance(table, exp.Table):
                continue
            if not table.db:
                yield table.name, cached[table.name]
                continue
            folder, name = f"{warehouse}/{table.db}/{table.name}", f"{table.db}.{table.name}"
            table.set("db", None)
            table.set("this", exp.to_identifier(name, quoted=True))
            yield name, DeltaTable(folder)
