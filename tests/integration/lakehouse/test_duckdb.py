"""DuckDB reads a Delta table as delta-rs does, whoever opens the files."""

import datetime as dt

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakehouse.engine.duckdb import connection, show


def shown(table):
    with connection() as database:
        show(database, "gold.sales", table)
        return database.sql('select * from "gold.sales"').to_arrow_table()


def in_order(rows):
    return sorted(rows.to_pylist(), key=lambda row: row["key"])


def sales(keys, **more):
    day = dt.date(2024, 1, 31)
    rows = {
        "key": keys,
        "month": [day + dt.timedelta(days=key) if key else None for key in keys],
        "sold_at": [dt.datetime(2024, 1, 31, 23, tzinfo=dt.UTC)] * len(keys),
        "hash": [bytes([key]) for key in keys],
        **more,
    }
    return pa.table(rows).cast(
        pa.schema(
            [
                ("key", pa.int64()),
                ("month", pa.date32()),
                ("sold_at", pa.timestamp("us", tz="UTC")),
                ("hash", pa.binary()),
                *[(name, pa.string()) for name in more],
            ]
        )
    )


@pytest.mark.parametrize("parts", [None, ["month"], ["month", "key"]])
def test_columns_that_came_later_and_partitions_are_read(tmp_path, parts):
    """Old files lack the column: it is null there. A partition's value is that of its folder."""
    place = tmp_path / "it's a=1"
    write_deltalake(place, sales([0, 1, 2]), partition_by=parts)
    write_deltalake(place, sales([3], note=["new"]), mode="append", schema_mode="merge")
    table = DeltaTable(place)
    rows = shown(table)
    assert rows.column_names == [field.name for field in table.schema().fields]
    assert in_order(rows) == in_order(table.to_pyarrow_table())


def test_an_older_version_and_a_table_without_rows_are_read(tmp_path):
    """A version shows its own files only; what was deleted is not shown."""
    write_deltalake(tmp_path, sales([1, 2]))
    write_deltalake(tmp_path, sales([3]), mode="append")
    assert [row["key"] for row in in_order(shown(DeltaTable(tmp_path, version=0)))] == [1, 2]
    DeltaTable(tmp_path).delete("key > 1")
    assert [row["key"] for row in in_order(shown(DeltaTable(tmp_path)))] == [1]
    DeltaTable(tmp_path).delete()
    assert shown(DeltaTable(tmp_path)).num_rows == 0


def test_a_partition_of_texts_comes_through_arrow(tmp_path):
    """The folder's name is no plain text: characters are escaped there."""
    rows = sales([1, 2], shop=["a/b", "ü %"])
    write_deltalake(tmp_path, rows, partition_by=["shop"])
    stored = in_order(shown(DeltaTable(tmp_path)))
    assert [row["shop"] for row in stored] == ["a/b", "ü %"]
