"""The kinds of source that a contract's `capture` may name; `bronze/readers` has a reader for each."""

from __future__ import annotations

FORMATS = (
    "parquet",
    "debezium-json",
    "kafka-json",
)
