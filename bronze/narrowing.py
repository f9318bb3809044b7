"""A source's type that became narrower: a breach where it cannot represent earlier values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from contracts.sql import quoted
from contracts.types import widens
from lakehouse.engine.duckdb import connection
from lakehouse.errors import ContractBreach
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model.contract import Contract
    from lakehouse.storage.tables import Tables

KINDS = {
    pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int", pa.int64(): "bigint",
    pa.float32(): "float", pa.float64(): "double",
}  # fmt: skip


def refuse_narrowed(tables: Tables, contract: Contract, schemas: Mapping[str, pa.Schema]) -> None:
    """Raise ContractBreach for a file with a narrower type than values of bronze have.

    A type that is narrower than the contract's but has always sufficed is no breach: only earlier
    values that it cannot have show that something may have been cut off at the source.
    """
    name = TableName.of("bronze", contract.domain, contract.dataset)
    for path, schema in schemas.items():
        for column in contract.columns:
            at = schema.get_field_index(column.name)
            kind = "" if at < 0 else _short(schema.field(at).type)
            if not kind or not widens(kind, column.type):
                continue
            count = _values_that_do_not_fit(tables, name, column.name, kind)
            if count:
                raise ContractBreach(
                    f"{contract.dataset}: {path} has {column.name} as {kind}, the contract as "
                    f"{column.type}, and {count:,} rows of {name} have values that {kind} cannot represent: "
                    "nothing was loaded; ask the producer whether values were cut off"
                )


def _short(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return KINDS.get(kind, "")


def _values_that_do_not_fit(tables: Tables, name: TableName, column: str, kind: str) -> int:
    table = tables.open(name)
    if table is None or column not in {field.name for field in table.schema().fields}:
        return 0
    value = quoted(column)
    with connection() as database:
        database.register("bronze", table.scan(columns=[column]))
        query = f"""
            select count(*) from bronze
            where {value} is not null and try_cast({value} as {kind}) is distinct from {value}
        """
        return database.execute(query).fetchall()[0][0]
