"""Schema drift of a source: columns that the contract lacks, values that its types are too narrow for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.sql import quoted
from contracts.types import INTEGERS, decimal
from lakehouse.engine.duckdb import connection
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from contracts.model.contract import Column, Contract
    from lakehouse.storage.tables import Tables

LARGEST = 38
NUMBER = r"^[+-]?\d+(\.\d+)?$"
DATE = r"^\d{4}-\d\d-\d\dZ?$"
TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?$"


@dataclass(frozen=True)
class DriftedColumn:
    """One column that a contract lacks, or whose type is too narrow (`old`), as its values are.

    `shapes` are its most frequent values with every letter an `a` and every digit a `9`.
    """

    name: str
    type: str
    rows: int
    nulls: int
    shapes: tuple[str, ...]
    old: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "column": self.name, "type": self.type, "old_type": self.old or None,
            "rows": self.rows, "nulls": self.nulls,
            "null_share": round(self.nulls / self.rows, 4) if self.rows else 0.0,
            "shapes": list(self.shapes),
        }  # fmt: skip


def drifted_columns(tables: Tables, contract: Contract) -> list[DriftedColumn]:
    """Return the columns that bronze has and the contract lacks, and those that need a wider type."""
    table = tables.open(TableName.of("bronze", contract.domain, contract.dataset))
    if table is None:
        return []
    contracted = {*contract.names, *(p for c in contract.columns for p in c.previous)}
    names = [field.name for field in table.schema().fields]
    drifted: list[DriftedColumn] = []
    unknown = [name for name in names if name[0] != "_" and name not in contracted]
    rescued = [name for name in names if name == "_rescued"]
    with connection() as database:
        database.register("scanned", table.scan(columns=[*unknown, *rescued]))
        # read more than once, a stream only once
        database.execute("create table bronze as from scanned")
        for name in unknown:
            text = f"cast({quoted(name)} as varchar)"
            drifted.append(_described(database, name, text, "true"))
        for column in contract.columns if rescued else ():
            wider = _wider(database, column, "element_at(_rescued, $name)[1]")
            if wider is not None:
                drifted.append(wider)
    return drifted


def _described(database: DuckDBPyConnection, name: str, text: str, where: str) -> DriftedColumn:
    query = f"""
        select count(*) as rows, count(*) filter (v is null) as nulls,
            bool_and(v in ('true', 'false')) as is_boolean,
            bool_and(regexp_matches(v, '{DATE}')) as is_date,
            bool_and(regexp_matches(v, '{TIME}')) as is_time,
            bool_and(regexp_matches(v, '{NUMBER}')) as is_number,
            bool_or(regexp_matches(v, '^[+-]?0\\d')) as has_zero,
            bool_and(try_cast(v as double) is not null) as is_double,
            max(length(regexp_extract(v, '^[+-]?(\\d+)', 1))) as before,
            max(length(regexp_extract(v, '\\.(\\d+)$', 1))) as after
        from (select {text} as v from bronze where {where})
    """
    given = {"name": name} if "$name" in text + where else {}
    row = database.execute(query, given).fetchall()[0]
    shapes = database.execute(
        f"""
        select regexp_replace(regexp_replace(left(v, 40), '\\d', '9', 'g'), '\\p{{L}}', 'a', 'g') as s
        from (select {text} as v from bronze where {where}) where v is not null
        group by s order by count(*) desc, s limit 3
        """,
        given,
    ).fetchall()
    return DriftedColumn(name, _type(*row[2:]), row[0], row[1], tuple(shape for (shape,) in shapes))


def _type(
    is_boolean: bool | None,
    is_date: bool | None,
    is_time: bool | None,
    is_number: bool | None,
    has_zero: bool | None,
    is_double: bool | None,
    before: int | None,
    after: int | None,
) -> str:
    """Return the narrowest type of a kind that all values fit, text where none does.

    A number with a leading zero is a code, and whole numbers get room to grow.
    """
    if is_boolean:
        return "boolean"
    if is_date:
        return "date"
    if is_time:
        return "timestamp"
    if is_number and not has_zero:
        whole, digits = before or 1, after or 0
        if not digits and whole <= 18:
            return "bigint"
        if whole + digits <= LARGEST:
            return f"decimal({min(LARGEST, max(whole + digits, 18))},{digits})"
    return "double" if is_double and not has_zero else "string"


def _wider(database: DuckDBPyConnection, column: Column, text: str) -> DriftedColumn | None:
    """Return the column with the type that its rescued values fit, too; None where there is none."""
    if column.type not in INTEGERS[:-1] and decimal(column.type) is None:
        return None
    where = "_rescued is not null and element_at(_rescued, $name)[1] is not null"
    values = _described(database, column.name, text, where)
    if not values.rows:
        return None
    kind = _wide_enough(column.type, values.type)
    if kind is None:
        return None
    return DriftedColumn(column.name, kind, values.rows, 0, values.shapes, column.type)


def _wide_enough(old: str, values: str) -> str | None:
    if old in INTEGERS:
        return "bigint" if values == "bigint" else None
    mine, theirs = decimal(old), decimal(values) or ((18, 0) if values == "bigint" else None)
    if mine is None or theirs is None:
        return None
    scale = max(mine[1], theirs[1])
    whole = max(mine[0] - mine[1], theirs[0] - theirs[1])
    return f"decimal({whole + scale},{scale})" if whole + scale <= LARGEST else None
