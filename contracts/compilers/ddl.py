"""A contract's tables as Delta DDL, with comments and constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.compilers.table_descriptions import tables
from contracts.sql import name

if TYPE_CHECKING:
    from contracts.compilers.table_descriptions import Described, TableDescription
    from contracts.model.contract import Contract


def ddl(contract: Contract) -> str:
    """Return one `create table` a stored table of the contract, bronze first."""
    statements = [create(table) for table in tables(contract) if not table.is_view]
    return "\n\n".join(statements)


def create(table: TableDescription) -> str:
    """Return the statement that makes an empty table; it changes nothing where there is one."""
    width = max(len(name(column.name)) for column in table.columns)
    lines = ",\n".join(f"  {_column(column, width)}" for column in table.columns)
    return (
        f"create table if not exists {table.layer}.{name(table.table)} (\n{lines}\n)\n"
        f"using delta\ncomment {_text(table.comment)};"
    )


def _column(column: Described, width: int) -> str:
    parts = [name(column.name).ljust(width), column.type]
    parts += ["not null"] if column.required else []
    parts += [f"comment {_text(column.comment)}"] if column.comment else []
    return " ".join(parts)


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", " ")
    return f"'{escaped}'"
