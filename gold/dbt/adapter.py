"""dbt's adapter for a warehouse of Delta tables: Spark's, and a shorter way where rows are few.

A MERGE of Spark costs seconds of planning and jobs whatever its rows. In a session of this process
the rows that a model derives are written once to scratch; few of them are merged as Arrow in
milliseconds, many by Spark. What macros ask of a build, they ask here.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.base.meta import available
from dbt.adapters.spark.impl import SparkAdapter

from gold.dbt.connection import NAME, LakehouseConnectionManager
from gold.dbt.invocation import current, start_in_shell
from gold.dbt.pushdown import push_down
from lakehouse.engine.gateway import is_local
from lakehouse.storage.merge import DELETED, Merge, replace
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from dbt.adapters.base.relation import BaseRelation
    from pyspark.sql import DataFrame, SparkSession

# About 300 bytes a row pass through memory, a few times over.
ROWS = 250_000


class LakehouseAdapter(SparkAdapter):
    """Spark's adapter, with a shorter way for tables that delta-rs can open."""

    ConnectionManager = LakehouseConnectionManager

    def __init__(self, config: Any, mp_context: Any) -> None:
        """Cache nothing yet; dbt makes an adapter a command."""
        start_in_shell(Path(config.project_root))
        super().__init__(config, mp_context)
        self._cached: dict[str, pa.Table] = {}

    @classmethod
    def type(cls) -> str:
        """Return the name of the adapter; dbt finds Spark's macros through the plugin's parents."""
        return NAME

    @available.parse(lambda *_: False)
    def is_embedded(self) -> bool:
        """Return whether Spark runs in this process, so that rows can be handed over in files and memory."""
        return is_local(current().settings)

    @available
    def folder(self, relation: BaseRelation) -> str:
        """Return where a table lies."""
        return Tables.at(current().settings).path(_name(relation))

    @available
    def lock(self, relation: BaseRelation) -> None:
        """Make sure that nobody else writes the table's domain; raise DomainLocked while somebody does."""
        current().lock(_name(relation).domain)

    @available
    def watermark(self, relation: BaseRelation) -> int:
        """Return the batch up to which a table was brought, -1 where it is derived from all there is."""
        name = _name(relation)
        return current().state(name.domain).watermark(name)

    @available
    def is_rebuilt(self, relation: BaseRelation) -> bool:
        """Return whether a table is to be derived from all there is, in place of what it holds."""
        name = _name(relation)
        return name in current().state(name.domain).rebuilt

    @available
    def audited(self, relation: BaseRelation) -> int:
        """Return the batch up to which a table's rows were audited, -1 to audit all of them."""
        name = _name(relation)
        return current().state(name.domain).audited(name)

    @available
    def push_down(self, query: str) -> list[list[Any]] | None:
        """Return the rows of a small query, or None where it takes Spark to run it."""
        rows = self._pushed_down(query) if self.is_embedded() else None
        if rows is None:
            return None
        columns = [column.to_pylist() for column in rows.columns]
        return [list(row) for row in zip(*columns, strict=True)]

    @available
    def cache_query(self, name: str, query: str) -> str:
        """Run a query and return the name of a temporary view of its few rows, in memory."""
        frame = self._spark().sql(query)
        rows = self._typed(query, frame)
        self._cached[name] = _with_chunks(frame.toArrow() if rows is None else rows)
        view = self._spark().createDataFrame(self._cached[name], frame.schema)
        view.createOrReplaceTempView(name)
        return name

    @available
    def derive(self, query: str) -> dict[str, Any]:
        """Run a model's query once; return its columns and types, its folder and its row count."""
        import pyarrow.parquet as pq

        frame = self._spark().sql(query)
        scratch = self._spark().conf.get("spark.local.dir")
        folder = Path(tempfile.mkdtemp(prefix="derived-", dir=scratch))
        rows = self._typed(query, frame)
        if rows is None:
            frame.write.mode("overwrite").parquet(folder.as_posix())
        else:
            pq.write_table(rows, folder / "part-00000.parquet")
        counts = [pq.read_metadata(file).num_rows for file in folder.glob("*.parquet")]
        types = {field.name: field.dataType.simpleString() for field in frame.schema}
        return {"columns": types, "folder": folder.as_posix(), "rows": sum(counts)}

    @available
    def merge_small(
        self,
        relation: BaseRelation,
        derived: Mapping[str, Any],
        columns: list[str],
        key: list[str],
        scope: str | None,
        partition: str | None,
    ) -> int | None:
        """Merge what was derived; return how many rows changed, or None for too many to do here."""
        import pyarrow.parquet as pq
        from deltalake import DeltaTable

        if derived["rows"] > ROWS:
            return None
        rows = pq.read_table(derived["folder"], columns=[*columns, DELETED])
        merge = Merge(columns, key, scope, partition, ignored=["_batch"])
        return merge.into(DeltaTable(self.folder(relation)), rows)

    @available
    def replace_small(
        self, relation: BaseRelation, derived: Mapping[str, Any], columns: list[str]
    ) -> int | None:
        """Put what was derived in a table's place; return as `merge_small` does."""
        import pyarrow.parquet as pq
        from deltalake import DeltaTable

        if derived["rows"] > ROWS:
            return None
        rows = pq.read_table(derived["folder"], columns=columns)
        return replace(DeltaTable(self.folder(relation)), rows, ignored=["_batch"])

    @available
    def discard(self, derived: Mapping[str, Any]) -> None:
        """Delete what was derived."""
        shutil.rmtree(derived["folder"], ignore_errors=True)

    def _spark(self) -> SparkSession:
        from pyspark.sql import SparkSession

        return SparkSession.builder.getOrCreate()

    def _pushed_down(self, query: str) -> pa.Table | None:
        return push_down(query, Tables.at(current().settings).warehouse, self._cached)

    def _typed(self, query: str, frame: DataFrame) -> pa.Table | None:
        """Return the rows of a query, typed as Spark would, or None where it takes Spark to run it."""
        import pyarrow as pa
        from pyspark.sql.pandas.types import to_arrow_schema

        rows = self._pushed_down(query)
        if rows is None:
            return None
        schema = to_arrow_schema(frame.schema, timezone="UTC")
        try:
            return rows.rename_columns(schema.names).cast(schema)
        except (
            pa.ArrowException
        ):  # a value that Spark's type does not take: Spark says what is wrong
            return None


def _with_chunks(rows: pa.Table) -> pa.Table:
    """Return the rows, none of them in one empty chunk: Spark cannot take a time column without any."""
    import pyarrow as pa

    if rows.num_rows:
        return rows
    return pa.table([pa.array([], field.type) for field in rows.schema], schema=rows.schema)


def _name(relation: BaseRelation) -> TableName:
    return TableName(str(relation.schema), str(relation.identifier))
