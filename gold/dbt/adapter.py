"""dbt's Spark adapter for a session in this process, where few rows need not be Spark's to merge.

A MERGE of Spark costs seconds of planning and jobs whatever its rows. Here the rows that a model
derives are written once to scratch; few of them are merged as Arrow in milliseconds, many by Spark.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dbt.adapters.base.meta import available
from dbt.adapters.base.plugin import AdapterPlugin
from dbt.adapters.spark.__version__ import version
from dbt.adapters.spark.connections import SparkCredentials
from dbt.adapters.spark.impl import SparkAdapter

from gold.dbt.pushdown import answer
from lakehouse.storage.merge import DELETED, Merge, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

NAME = "lakehouse"
# About 300 bytes a row pass through memory, a few times over.
ROWS = 250_000


class Credentials(SparkCredentials):
    """The credentials of a session in this process: none.

    dbt-spark leaves ANSI mode for the whole session: an overflow or a bad cast would be a null, and
    what is hashed after it another text. Here it stays as the session has it.
    """

    def __post_init__(self) -> None:
        """Take back what dbt-spark sets."""
        super().__post_init__()
        del self.server_side_parameters["spark.sql.ansi.enabled"]

    @property
    def type(self) -> str:
        """Return the name by which a profile asks for this adapter."""
        return NAME


class LakehouseAdapter(SparkAdapter):
    """Spark's adapter, with a shorter way for tables that delta-rs can open."""

    def __init__(self, *given: Any) -> None:
        """Hold nothing yet; dbt makes an adapter a command."""
        super().__init__(*given)
        self._held: dict[str, pa.Table] = {}

    @classmethod
    def type(cls) -> str:
        """Return the name of the adapter; dbt finds Spark's macros through the plugin's parents."""
        return NAME

    @available
    def newest_batch(self, path: str) -> int | None:
        """Return the greatest `_batch` of a table from its log, or None where that does not tell."""
        from deltalake import DeltaTable

        from lakehouse.storage.table_log import newest_batch

        return newest_batch(DeltaTable(path))

    @available
    def answer(self, query: str, warehouse: str) -> list[list[Any]] | None:
        """Return the rows of a small question about tables, or None where Spark has to be asked."""
        found = answer(query, warehouse, self._held)
        if found is None:
            return None
        columns = [column.to_pylist() for column in found.columns]
        return [list(row) for row in zip(*columns, strict=True)]

    @available
    def hold(self, name: str, query: str, warehouse: str) -> str:
        """Run a query and return the name of a temporary view of its few rows, in memory."""
        wanted = self._spark().sql(query)
        rows = self._told(query, warehouse, wanted)
        self._held[name] = wanted.toArrow() if rows is None else rows
        held = self._spark().createDataFrame(self._held[name], wanted.schema)
        held.createOrReplaceTempView(name)
        return name

    @available
    def derive(self, query: str, warehouse: str) -> dict[str, Any]:
        """Run a model's query once; return its columns and types, its folder and its row count."""
        import pyarrow.parquet as pq

        wanted = self._spark().sql(query)
        scratch = self._spark().conf.get("spark.local.dir")
        folder = Path(tempfile.mkdtemp(prefix="derived-", dir=scratch))
        rows = self._told(query, warehouse, wanted)
        if rows is None:
            wanted.write.mode("overwrite").parquet(folder.as_posix())
        else:
            pq.write_table(rows, folder / "part-00000.parquet")
        counts = [pq.read_metadata(file).num_rows for file in folder.glob("*.parquet")]
        types = {field.name: field.dataType.simpleString() for field in wanted.schema}
        return {"columns": types, "folder": folder.as_posix(), "rows": sum(counts)}

    def _spark(self) -> SparkSession:
        from pyspark.sql import SparkSession

        return SparkSession.builder.getOrCreate()

    def _told(self, query: str, warehouse: str, wanted: DataFrame) -> pa.Table | None:
        """Return the rows of a query, typed as Spark would, or None where Spark has to be asked."""
        import pyarrow as pa
        from pyspark.sql.pandas.types import to_arrow_schema

        rows = answer(query, warehouse, self._held)
        if rows is None:
            return None
        schema = to_arrow_schema(wanted.schema, timezone="UTC")
        try:
            return rows.rename_columns(schema.names).cast(schema)
        except (
            pa.ArrowException
        ):  # a value that Spark's type does not hold: Spark says what is wrong
            return None

    @available
    def merge_few(
        self,
        path: str,
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
        return merge.into(DeltaTable(path), rows)

    @available
    def replace_few(self, path: str, derived: Mapping[str, Any], columns: list[str]) -> int | None:
        """Put what was derived in a table's place; return as `merge_few` does."""
        import pyarrow.parquet as pq
        from deltalake import DeltaTable

        if derived["rows"] > ROWS:
            return None
        rows = pq.read_table(derived["folder"], columns=columns)
        return replace(DeltaTable(path), rows, ignored=["_batch"])

    @available
    def forget(self, derived: Mapping[str, Any]) -> None:
        """Delete what was derived."""
        shutil.rmtree(derived["folder"], ignore_errors=True)


def install() -> None:
    """Make the adapter known to dbt, which looks for it as `dbt.adapters.lakehouse`."""
    name = f"dbt.adapters.{NAME}"
    if name in sys.modules:
        return
    module, about = ModuleType(name), ModuleType(f"{name}.__version__")
    about.version = version  # type: ignore[attr-defined]
    module.Plugin = AdapterPlugin(  # type: ignore[attr-defined]
        adapter=LakehouseAdapter,  # type: ignore[arg-type]
        credentials=Credentials,
        include_path=(Path(__file__).parent / "include").as_posix(),
        dependencies=["spark"],
    )
    module.__path__ = []
    sys.modules[name], sys.modules[f"{name}.__version__"] = module, about
