"""Appends in one commit, idempotent by a key, with the counts that Delta itself reports."""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from deltalake import Schema

from lakehouse.storage.create import commented, commented_schema, make
from lakehouse.storage.table_log import Written, written_between
from lakehouse.storage.tables import STATISTICS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from contracts.compilers.table_descriptions import TableDescription
    from lakehouse.storage.tables import TableName, Tables


def append_arrow(
    tables: Tables,
    name: TableName,
    rows: pa.Table,
    *,
    idempotency_key: tuple[str, int] | None = None,
    skip_on: tuple[str, ...] = (),
    described: TableDescription | None = None,
) -> Written:
    """Append few rows without Spark: see `Tables.append`; `described` as in `append`."""
    before = tables.version(name)
    if described is not None and before < 0:
        make(tables, name, Schema.from_arrow(rows.schema), described, skip_on)
    if described is not None and before >= 0:
        rows = rows.cast(commented_schema(rows.schema, _columns(tables, name), described))
    tables.append(name, rows, idempotency_key=idempotency_key, skip_on=skip_on)
    return written_between(tables, name, before, tables.version(name))


def append(
    tables: Tables,
    name: TableName,
    rows: DataFrame,
    *,
    idempotency_key: tuple[str, int] | None = None,
    skip_on: tuple[str, ...] = (),
    described: TableDescription | None = None,
) -> Written:
    """Append rows in one commit.

    `idempotency_key` = (application, number) is written into the same commit; Delta skips a second
    append with it. `skip_on` names the columns whose minimum and maximum each file keeps, so that
    readers skip files; it counts when the table is made. A table that is `described` is made with
    its comments and constraints before its first rows; columns that come later bring theirs.
    """
    before = tables.version(name)
    if described is not None and before < 0:
        make(tables, name, Schema.from_json(rows.schema.json()), described, skip_on)
    elif described is not None:
        rows = commented(rows, _columns(tables, name), described)
    writer = rows.write.format("delta").mode("append").option("mergeSchema", "true")
    if idempotency_key is not None:
        writer = writer.option("txnAppId", idempotency_key[0]).option(
            "txnVersion", str(idempotency_key[1])
        )
    if before < 0 and skip_on:
        writer = writer.option(STATISTICS, ",".join(skip_on))
    writer.save(tables.path(name))
    return written_between(tables, name, before, tables.version(name))


def _columns(tables: Tables, name: TableName) -> list[str]:
    table = tables.open(name)
    return [] if table is None else [field.name for field in table.schema().fields]
