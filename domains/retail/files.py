"""One landed file: written under a dot-name and renamed, or left alone where it is there already."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from domains.retail.envelope import REAL
from lakehouse.storage.atomic_file import atomic_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


@dataclass(frozen=True)
class LandedFile:
    """A file that stands complete under its name."""

    path: Path
    rows: int
    bytes: int


def write_parquet(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> LandedFile:
    """Write real rows, one row group a table, with the column that says so."""
    out = schema.append(pa.field("_origin", pa.dictionary(pa.int32(), pa.string())))
    rows = 0

    def write(temporary: Path) -> None:
        nonlocal rows
        # Without Arrow's own schema a dictionary is plain text to every reader.
        with pq.ParquetWriter(
            temporary, out, compression="zstd", compression_level=1, store_schema=False
        ) as writer:
            for table in tables:
                origin = pa.DictionaryArray.from_arrays(
                    pa.repeat(pa.scalar(0, pa.int32()), table.num_rows), [REAL]
                )
                writer.write_table(
                    table.append_column(out.field("_origin"), origin), row_group_size=1 << 20
                )
                rows += table.num_rows

    return _land(path, write, lambda: rows)


def write_text(path: Path, text: str) -> LandedFile:
    """Write text, one row a line."""
    return write_bytes(path, text.encode(), text.count("\n"))


def write_bytes(path: Path, data: bytes, rows: int) -> LandedFile:
    """Write bytes as they are."""
    return _land(path, lambda temporary: temporary.write_bytes(data), lambda: rows)


def _land(path: Path, write: Callable[[Path], object], count: Callable[[], int]) -> LandedFile:
    with atomic_file(path, keep_equal=True) as partial:
        write(partial)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
    return LandedFile(path, count(), path.stat().st_size)
