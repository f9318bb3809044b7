"""Debezium change envelopes as JSON lines.

A line is an envelope itself (`debezium-json`), or a Kafka record whose `value` is one as text
(`kafka-json`: topic, partition, offset, timestamp, key, value).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from bronze.type_coercion import payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from pyspark.sql import Column, DataFrame, SparkSession

    from bronze.discovery import LandedFile
    from contracts.model.contract import Contract

ENVELOPE = (
    "before map<string,string>, after map<string,string>, op string, ts_ms bigint, _origin string, "
    "source struct<txId:bigint, lsn:bigint, sequence:string, ts_ms:bigint, table:string, "
    "snapshot:string>, transaction struct<id:string, total_order:bigint>, _corrupt string"
)
RECORD = (
    "topic string, partition int, offset bigint, timestamp bigint, key string, value string, "
    "headers map<string,string>, "
    "_corrupt string"
)
# More partitions than a topic has
PARTITIONS = 1 << 14
OPTIONS = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_corrupt"}


@dataclass(frozen=True)
class DebeziumReader:
    """Reads change envelopes; a line that is none is kept as text and refused by the gate."""

    in_kafka_records: bool = False
    text_ratio: int = 1

    def check(self, contract: Contract, file: LandedFile) -> pa.Schema | None:  # noqa: ARG002
        """Return no schema: every value of an envelope is text; no file is refused whole."""
        return None

    def count(self, file: LandedFile) -> int:
        """Return the number of lines that are not blank."""
        with file.absolute.open("rb") as lines:
            return sum(1 for line in lines if line.strip())

    def read(
        self,
        spark: SparkSession,
        contract: Contract,
        files: list[LandedFile],
        schemas: Mapping[str, pa.Schema],  # noqa: ARG002
    ) -> DataFrame:
        """Return one bronze row a line; nothing is dropped."""
        parsed = _lines(spark, files, in_kafka_records=self.in_kafka_records)
        return _rows(parsed, contract, _unknown_columns(parsed, contract))


def _lines(spark: SparkSession, files: list[LandedFile], *, in_kafka_records: bool) -> DataFrame:
    """Return one row a line: its text, its file, and the parsed envelope in `e`."""
    text = spark.read.text([str(file.absolute) for file in files]).select(
        F.col("value").alias("_line"),
        F.element_at(F.split(F.col("_metadata.file_path"), "/"), -1).alias("_source"),
    )
    text = text.where(F.length(F.trim(F.col("_line"))) > 0)
    # A parser would put a replacement character for bytes that are no text, and the loss would go unnoticed.
    line = F.when(F.is_valid_utf8("_line"), F.col("_line"))
    if in_kafka_records:
        record = text.withColumn("k", F.from_json(line, RECORD, OPTIONS))
        return record.withColumn("e", F.from_json("k.value", ENVELOPE, OPTIONS))
    return text.withColumn("k", F.lit(None).cast(f"struct<{_colons(RECORD)}>")).withColumn(
        "e", F.from_json(line, ENVELOPE, OPTIONS)
    )


def _colons(fields: str) -> str:
    return ", ".join(field.strip().replace(" ", ":", 1) for field in fields.split(","))


def _unknown_columns(parsed: DataFrame, contract: Contract) -> list[str]:
    """Return the names in the envelopes that the contract lacks, sorted; one pass over the lines."""
    keys = F.array_union(
        F.coalesce(F.map_keys("e.after"), F.array().cast("array<string>")),
        F.coalesce(F.map_keys("e.before"), F.array().cast("array<string>")),
    )
    named = F.array(*[F.lit(name) for name in contract.names])
    rows = parsed.select(F.explode(F.array_except(keys, named)).alias("name")).distinct()
    # A handful of column names, not data.
    return sorted(row["name"] for row in rows.toLocalIterator() if not row["name"].startswith("_"))


def _rows(parsed: DataFrame, contract: Contract, unknown: list[str]) -> DataFrame:
    """Return one bronze row (without batch columns) a line; nothing is dropped.

    A line that cannot be read keeps its text under `_line` in `_rescued`, and where its bytes are no
    UTF-8 these, too, as hexadecimal digits under `_bytes`. The payload of a delete
    is its before-image; `_before` keeps the before-image of updates and deletes. `_given` names
    the columns of the payload, since one that is not there is not one that is null. `_old_key` is
    the key that the row had before its key was changed.
    """
    image = F.coalesce(F.col("e.after"), F.col("e.before"))
    given = {name: (image[name], "string") for name in (*contract.names, *unknown)}
    columns, rescued = payload(contract, given, unknown)
    unreadable = F.col("e._corrupt").isNotNull() | (
        F.col("k._corrupt").isNotNull() | (F.col("e.op").isNull() & ~_tombstone())
    )
    line = F.create_map(F.lit("_line"), F.make_valid_utf8("_line"))
    as_bytes = F.create_map(F.lit("_bytes"), F.hex(F.col("_line").cast("binary")))
    line = F.when(F.is_valid_utf8("_line"), line).otherwise(F.map_concat(line, as_bytes))
    return parsed.select(
        *columns,
        F.when(_tombstone(), F.lit("tombstone")).when(~unreadable, F.col("e.op")).alias("_op"),
        _position(contract).alias("_sequence"),
        F.timestamp_millis(F.coalesce(F.col("e.source.ts_ms"), F.col("e.ts_ms"))).alias(
            "_source_ts"
        ),
        F.col("_source"),
        F.lit("debezium").alias("_method"),
        F.coalesce(F.col("e._origin"), F.lit("real")).alias("_origin"),
        F.when(unreadable, line).otherwise(rescued).alias("_rescued"),
        F.when(F.col("e.op").isin("u", "d"), F.col("e.before")).alias("_before"),
        F.array_join(F.map_keys(image), ",").alias("_given"),
        F.from_json(F.col("k.headers")["__debezium.oldkey"], "map<string,string>").alias(
            "_old_key"
        ),
    )


def _tombstone() -> Column:
    return F.col("k.topic").isNotNull() & F.col("k.value").isNull()


def _position(contract: Contract) -> Column:
    """Return the source's total order as sortable text.

    PostgreSQL's order over all tables is (end of the transaction before, snapshot rows first,
    place in the transaction); its LSN alone is not, since transactions commit late. Snapshot rows
    have no place in a transaction: theirs is that of their record, so that of a snapshot taken
    twice the second counts, and equal rows without a key stay apart.
    """
    # A JSON null, as rows of an initial snapshot have it, comes out as the text `null`.
    end = F.nullif(F.get_json_object(F.col("e.source.sequence"), "$[0]"), F.lit("null"))
    before = F.coalesce(end, F.lit("0"))
    kind = F.when(F.col("e.op") == "r", F.lit("0")).otherwise(F.lit("1"))
    record = F.col("k.offset") * PARTITIONS + F.col("k.partition")
    if contract.keyless:
        line = F.pmod(
            F.xxhash64("_source", F.monotonically_increasing_id()), F.lit(36**10).cast("bigint")
        )
        record = F.coalesce(record, line)
    # ten digits of base 36 suffice for every record of a partition
    place = F.coalesce(
        F.when(F.col("e.op") == "r", F.conv(record.cast("string"), 10, 36)),
        F.col("e.transaction.total_order").cast("string"),
        F.lit("0"),
    )
    return F.concat_ws(".", F.lpad(before, 19, "0"), kind, F.lpad(place, 10, "0"))
