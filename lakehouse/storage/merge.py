"""Merges small sets of rows into a table without Spark, in one commit; none where nothing changed."""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.sql import quoted
from lakehouse.engine.duckdb import connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from arro3.core import RecordBatchReader
    from deltalake import DeltaTable
    from duckdb import DuckDBPyConnection

DELETED = "_deleted"


@dataclass(frozen=True)
class Merge:
    """How derived rows replace those of a table.

    - columns: the columns of the table, in its order
    - key: columns that identify a row, none of them null
    - scope: all rows of one value are derived together, so a stored row of such a value that was
      not derived again is deleted
    - partition: one of the key's columns; only touched partitions are read
    - ignored: columns whose difference alone is no change
    """

    columns: Sequence[str]
    key: Sequence[str]
    scope: str | None = None
    partition: str | None = None
    ignored: Sequence[str] = ()

    def into(self, table: DeltaTable, derived: pa.Table) -> int:
        """Bring a table up to date; return how many of its rows were written or deleted.

        `derived` has the table's columns and `_deleted`, true for a key of which nothing is left.
        """
        if not derived.num_rows:
            return 0
        changes = self.changes(derived, table.scan(predicate=self._touched(derived)))
        if changes.num_rows:
            self.commit(table, changes)
        return changes.num_rows

    def changes(self, derived: pa.Table, stored: pa.Table | RecordBatchReader) -> pa.Table:
        """Return the derived rows that are not stored like this, and with `_deleted` the keys to delete.

        `stored` are the rows of the table in the touched partitions.
        """
        with connection() as database:
            database.register("derived_rows", derived)
            database.register("stored_rows", stored)
            # both are read more than once, a stream only once
            database.execute("create table derived as select * from derived_rows")
            database.execute("create table stored as select * from stored_rows")
            return self._changes(database).cast(derived.select([*self.columns, DELETED]).schema)

    def _touched(self, derived: pa.Table) -> str | None:
        if self.partition is None:
            return None
        values = derived.column(self.partition).unique().drop_null().to_pylist()
        column = quoted(self.partition)
        return f"{column} in ({', '.join(map(_literal, values))})" if values else None

    def _changes(self, database: DuckDBPyConnection) -> pa.Table:
        on = _equal("s", "d", self.key)
        compared = [c for c in self.columns if c not in self.key and c not in self.ignored]
        differs = [f"s.{quoted(c)} is distinct from d.{quoted(c)}" for c in compared]
        key = quoted(self.key[0])
        stale = (
            f"select s.* from stored s semi join (select * from derived where {DELETED}) d on {on}"
        )
        if self.scope is not None:
            stale = (
                f"select s.* from stored s semi join derived d on {_equal('s', 'd', [self.scope])} "
                f"anti join (select * from derived where not {DELETED}) d on {on}"
            )
        columns = ", ".join(quoted(column) for column in self.columns)
        changes = database.sql(f"""
            select {", ".join(f"d.{quoted(c)}" for c in self.columns)}, false as {DELETED}
            from (select * from derived where not {DELETED}) d left join stored s on {on}
            where {" or ".join([f"s.{key} is null", *differs])}
            union all
            select {columns}, true as {DELETED} from ({stale})
        """)
        return changes.to_arrow_table()

    def commit(self, table: DeltaTable, changes: pa.Table) -> None:
        """Write rows over those of their keys, and delete those with `_deleted`, in one commit."""
        from deltalake import WriterProperties

        values = {quoted(column): f"derived.{quoted(column)}" for column in self.columns}
        (
            table.merge(
                changes,
                _equal("stored", "derived", self.key),
                source_alias="derived",
                target_alias="stored",
                streamed_exec=False,  # so that files without a key of ours are left alone
                writer_properties=WriterProperties(compression="ZSTD"),
            )
            .when_matched_delete(f"derived.{DELETED}")
            .when_matched_update(values)
            .when_not_matched_insert(values)
            .execute()
        )


def replace(table: DeltaTable, rows: pa.Table, ignored: Sequence[str] = ()) -> int:
    """Replace the rows of a table in one commit, or in none where it has the same already.

    Return how many rows were written or deleted. A difference in the `ignored` columns alone is none.
    """
    from deltalake import WriterProperties, write_deltalake

    compared = ", ".join(quoted(c) for c in rows.column_names if c not in ignored)
    with connection() as database:
        database.register("derived", rows)
        database.register("stored_rows", table.scan())
        database.execute("create table stored as select * from stored_rows")
        counted = "select count(*) from (select {0} from {1} except all select {0} from {2})"
        sides = ("derived", "stored"), ("stored", "derived")
        differ = [database.sql(counted.format(compared, *side)).fetchall()[0][0] for side in sides]
    if any(differ):
        zstd = WriterProperties(compression="ZSTD")
        write_deltalake(table, rows, mode="overwrite", writer_properties=zstd)
    return sum(differ)


def _equal(left: str, right: str, columns: Sequence[str]) -> str:
    return " and ".join(f"{left}.{quoted(c)} = {right}.{quoted(c)}" for c in columns)


def _literal(value: object) -> str:
    text = str(value).replace("'", "''")
    return text if isinstance(value, int | float) else f"'{text}'"
