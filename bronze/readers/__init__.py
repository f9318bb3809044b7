"""Kinds of source, by the `format` of a contract's capture: each has one reader and one line here.

A name stands in `contracts/model/capture_formats.py` as well, where contracts are checked.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from bronze.readers.debezium import DebeziumReader
from bronze.readers.parquet import ParquetReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bronze.discovery import LandedFile
    from bronze.readers.protocol import Reader

READERS: dict[str, Reader] = {
    "parquet": ParquetReader(),
    "debezium-json": DebeziumReader(),
    "kafka-json": DebeziumReader(in_kafka_records=True),
}


def reader_of(file: LandedFile) -> Reader:
    """Return the reader of a file: that of its capture's format."""
    return READERS[file.capture.format]


def by_format(files: Iterable[LandedFile]) -> dict[str, list[LandedFile]]:
    """Return files by the format of their capture, in the order of the registry."""
    groups: dict[str, list[LandedFile]] = defaultdict(list)
    for file in files:
        groups[file.capture.format].append(file)
    return {format_: groups[format_] for format_ in READERS if format_ in groups}


def text_bytes(files: Iterable[LandedFile]) -> int:
    """Return how many bytes files have as text, about: that bounds the rows they may have."""
    return sum(file.size * reader_of(file).text_ratio for file in files)
