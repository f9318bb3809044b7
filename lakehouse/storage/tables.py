"""Tables by name: where they lie, which version they have, small reads and appends, without a JVM."""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import TableNotFoundError

from lakehouse.errors import UsageError
from lakehouse.layers import STORED
from lakehouse.storage.table_log import bookmark, file_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from arro3.core import Table

    from lakehouse.settings import Settings

# The table property that names the columns with statistics
STATISTICS = "delta.dataSkippingStatsColumns"


@dataclass(frozen=True, order=True)
class TableName:
    """The name of a table: `<layer>.<domain>__<table>`, or `ops.<table>`."""

    layer: str
    table: str

    @classmethod
    def of(cls, layer: str, domain: str, dataset: str) -> Self:
        """Return the name of a domain's table in a layer."""
        return cls(layer, f"{domain}__{dataset}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the name written as `layer.table`; raise UsageError for anything else."""
        layer, dot, table = text.partition(".")
        if not dot or layer not in STORED or not table:
            raise UsageError(f"'{text}' is no table name: write <layer>.<domain>__<table>")
        return cls(layer, table)

    @property
    def domain(self) -> str:
        """Return the domain the table belongs to, empty for `ops`."""
        return self.table.partition("__")[0] if "__" in self.table else ""

    def __str__(self) -> str:
        """Return the SQL name."""
        return f"{self.layer}.{self.table}"


def dictionaries(rows: Table) -> list[dict[str, Any]]:
    """Return one dictionary a row of what delta-rs reads.

    Not through pyarrow: where it reads another library's table, or an instant, it imports pandas,
    which costs a short command more than everything else together.
    """
    columns: list[list[Any]] = [list(column.to_pylist()) for column in rows.columns]
    return [dict(zip(rows.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _nullable(schema: pa.Schema, table: DeltaTable | None) -> pa.Schema:
    """Return the schema with every column nullable but those that the table says never are.

    A merge of schemas that differ in this would make the table's columns nullable, too.
    """
    import pyarrow as pa

    never = set() if table is None else {f.name for f in table.schema().fields if not f.nullable}
    return pa.schema([field.with_nullable(field.name not in never) for field in schema])


@dataclass(frozen=True)
class Tables:
    """The Delta tables of one warehouse."""

    warehouse: str

    @classmethod
    def at(cls, settings: Settings) -> Self:
        """Return the tables of the warehouse that the settings name."""
        return cls(settings.warehouse.rstrip("/"))

    def path(self, name: TableName) -> str:
        """Return the folder of a table, whether it exists or not."""
        return f"{self.warehouse}/{name.layer}/{name.table}"

    def open(self, name: TableName, version: int | None = None) -> DeltaTable | None:
        """Return the table for reading without Spark, or None where there is none yet."""
        if "://" not in self.warehouse and not Path(self.path(name), "_delta_log").is_dir():
            return None
        try:
            return DeltaTable(self.path(name), version=version)
        except TableNotFoundError:
            return None

    def exists(self, name: TableName) -> bool:
        """Return whether the table has at least one version."""
        return self.open(name) is not None

    def is_empty(self, name: TableName) -> bool:
        """Return whether there is no row: no table, or one that a rollback emptied."""
        return not file_count(self.open(name))

    def version(self, name: TableName) -> int:
        """Return the newest version of a table, -1 where there is none."""
        table = self.open(name)
        return -1 if table is None else table.version()

    def append(
        self,
        name: TableName,
        rows: pa.Table,
        *,
        idempotency_key: tuple[str, int] | None = None,
        skip_on: tuple[str, ...] = (),
    ) -> None:
        """Append Arrow rows in one commit, in milliseconds rather than the second of a Spark job.

        `idempotency_key` = (application, number) is written into the same commit, and nothing is
        appended where the table has that number already. `skip_on` names the columns whose minimum
        and maximum each file keeps; it counts when the table is made.
        """
        properties, table = None, self.open(name)
        if idempotency_key is not None:
            committed = bookmark(table, idempotency_key[0])
            if committed is not None and committed >= idempotency_key[1]:
                return
            properties = CommitProperties(app_transactions=[Transaction(*idempotency_key)])
        write_deltalake(
            self.path(name),
            rows.cast(_nullable(rows.schema, table)),
            mode="append",
            schema_mode="merge",
            configuration={STATISTICS: ",".join(skip_on)} if skip_on else None,
            commit_properties=properties,
        )

    def read(self, name: TableName, columns: list[str] | None = None) -> pa.Table | None:
        """Return the newest rows of a small table in no order, or None where there is none."""
        import pyarrow as pa

        table = self.open(name)
        # Not to_pyarrow_table: that imports pandas, a third of a second for every short command.
        return None if table is None else pa.table(table.scan(columns=columns))

    def rows(self, name: TableName, columns: list[str] | None = None) -> list[dict[str, Any]]:
        """Return the newest rows of a small table as plain values, none where there is no table."""
        table = self.open(name)
        if table is None:
            return []
        return dictionaries(table.scan(columns=columns).read_all())

    def versions(self, domain: str, layers: Iterable[str]) -> dict[TableName, int]:
        """Return the newest version of each table that a domain has in some layers.

        Read from the names of the commits, since a run needs it of every table before it starts.
        """
        versions: dict[TableName, int] = {}
        for name in self.names(domain):
            if name.layer in layers:
                commits = Path(self.path(name), "_delta_log").glob("*.json")
                numbers = [int(path.stem) for path in commits if path.stem.isdigit()]
                if numbers:
                    versions[name] = max(numbers)
        return versions

    def names(self, domain: str | None = None) -> Iterator[TableName]:
        """Yield every table in the warehouse, layer by layer, of one domain or of all."""
        for layer in STORED:
            folder = Path(self.warehouse, layer)
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                name = TableName(layer, path.name)
                if (path / "_delta_log").is_dir() and domain in (None, name.domain):
                    yield name
