"""A query's whole result as one file: through Parquet, so that it never has to fit in memory."""

from __future__ import annotations

import csv
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lakehouse.formatting import plain, show
from lakehouse.storage.atomic_file import atomic_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame


def write_file(rows: DataFrame, out: Path) -> int:
    """Write every row to a `.parquet` or `.csv` file, whole or not at all; return their number."""
    with atomic_file(out) as partial:
        if out.suffix != ".csv":
            return _write_parquet(rows, partial)
        with partial.open("w", encoding="utf-8", newline="") as file:
            return write_csv(rows, file, out.parent)


def _write_parquet(rows: DataFrame, path: Path) -> int:
    import pyarrow.parquet as pq

    count = 0
    with _batches(rows, path.parent) as (schema, batches), pq.ParquetWriter(path, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def write_csv(rows: DataFrame, file: IO[str], scratch: Path) -> int:
    """Write a header and every row; return the number of rows."""
    writer, count = csv.writer(file, lineterminator="\n"), 0
    writer.writerow(rows.columns)
    with _batches(rows, scratch) as (_, batches):
        for batch in batches:
            columns = [column.to_pylist(maps_as_pydicts="lossy") for column in batch.columns]
            writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
            count += batch.num_rows
    return count


@contextmanager
def _batches(rows: DataFrame, beside: Path) -> Iterator[tuple[Any, Iterator[RecordBatch]]]:
    """Yield the schema and the rows in their order; the scratch folder goes when the block ends."""
    import pyarrow.parquet as pq

    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=beside, prefix=".result-") as folder:
        rows.sparkSession.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        rows.write.parquet(f"{folder}/rows")
        # Spark numbers its files in the order of the rows.
        files = [
            pq.ParquetFile(path) for path in sorted(Path(folder, "rows").glob("part-*.parquet"))
        ]
        yield files[0].schema_arrow, (batch for file in files for batch in file.iter_batches())


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, dict)):
        return show(value)
    return plain(value)
