"""Tables as their contract describes them: comments on table and columns, and what is never null.

Delta takes constraints from a table that is there, not from the rows that are written first. So a
described table is made empty, in a commit of its own, before its first rows.
"""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from deltalake import DeltaTable, Field, Schema

from lakehouse.storage.tables import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from contracts.compilers.table_descriptions import TableDescription
    from lakehouse.storage.tables import TableName, Tables

COMMENT = "comment"


def make(
    tables: Tables,
    name: TableName,
    schema: Schema,
    described: TableDescription,
    skip_on: Iterable[str] = (),
) -> None:
    """Make an empty table of a schema; nothing where it is there already."""
    fields = [
        Field(
            field.name,
            field.type,
            nullable=field.name not in described.required,
            metadata=_metadata(described, field.name),
        )
        for field in schema.fields
    ]
    DeltaTable.create(
        tables.path(name),
        schema=Schema(fields),
        mode="ignore",
        description=described.comment,
        configuration={STATISTICS: ",".join(skip_on)} if skip_on else None,
    )


def commented(
    rows: DataFrame, stored: Iterable[str], described: TableDescription | None
) -> DataFrame:
    """Return rows in which the columns that a table lacks bring their comments."""
    if described is None:
        return rows
    for column in set(rows.columns) - set(stored):
        rows = rows.withMetadata(column, _metadata(described, column))
    return rows


def commented_schema(
    schema: pa.Schema, stored: Iterable[str], described: TableDescription | None
) -> pa.Schema:
    """Return an Arrow schema in which the columns that a table lacks bring their comments."""
    import pyarrow as pa

    existing = set(stored)
    return pa.schema(
        [
            field
            if described is None or field.name in existing
            else field.with_metadata(_metadata(described, field.name) or None)
            for field in schema
        ]
    )


def _metadata(described: TableDescription, column: str) -> dict[str, str]:
    comment = described.comments.get(column)
    return {COMMENT: comment} if comment else {}
