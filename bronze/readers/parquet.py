"""Capture of Parquet files in which each row is one event: snapshots and drops."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from bronze.type_coercion import EPOCH, SNAPSHOT_POSITION, payload
from lakehouse.errors import ContractBreach, Violation

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from bronze.discovery import LandedFile
    from contracts.model.contract import Contract

METADATA = ("_origin", "_source_ts")


def check(contract: Contract, file: LandedFile) -> pa.Schema:
    """Return a file's schema; raise ContractBreach for a file that cannot be loaded whole."""
    if file.size == 0:
        raise _breach(contract, "whole file", f"{file.path} is empty (0 bytes): nothing was loaded")
    try:
        schema = pq.read_schema(file.absolute)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise _breach(
            contract,
            "whole file",
            f"{file.path} is no whole Parquet file ({reason}): nothing was loaded; "
            "ask the producer to send it again",
        ) from None
    missing = [c.name for c in contract.columns if c.required and c.name not in schema.names]
    if missing:
        raise _breach(
            contract,
            "required columns",
            f"{file.path} lacks the required column(s) {', '.join(missing)}: nothing was loaded",
        )
    return schema


def _breach(contract: Contract, rule: str, what: str) -> ContractBreach:
    table = f"bronze.{contract.domain}__{contract.dataset}"
    return ContractBreach(
        f"{contract.dataset}: {what}",
        [Violation(contract.dataset, "bronze", rule, what, table=table)],
    )


def rows(
    spark: SparkSession, contract: Contract, found: list[LandedFile], schemas: list[pa.Schema]
) -> DataFrame:
    """Return one bronze row (without batch columns) a row of the files; files are read by schema."""
    groups: dict[tuple[str, ...], list[LandedFile]] = defaultdict(list)
    for file, schema in zip(found, schemas, strict=True):
        groups[(file.capture.order, str(schema.remove_metadata()))].append(file)
    frames = [_group(spark, contract, group) for group in groups.values()]
    union = frames[0]
    for frame in frames[1:]:
        union = union.unionByName(frame, allowMissingColumns=True)
    return union


def _group(spark: SparkSession, contract: Contract, group: list[LandedFile]) -> DataFrame:
    frame = spark.read.parquet(*[str(file.absolute) for file in group])
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    given = {name: (F.col(f"`{name}`"), kind) for name, kind in kinds.items()}
    extra = [name for name in kinds if name not in contract.names and name not in METADATA]
    columns, rescued = payload(contract, given, extra, raw_texts=True)
    order = group[0].capture.order
    position = F.lit(SNAPSHOT_POSITION)
    if order:
        position = F.concat(
            F.lpad(F.col(order).cast("string"), 19, "0"), F.lit(SNAPSHOT_POSITION[19:])
        )
    origin = F.col("_origin") if "_origin" in kinds else F.lit("real")
    moment = F.col("_source_ts").cast("timestamp") if "_source_ts" in kinds else F.expr(EPOCH)
    return frame.select(
        *columns,
        F.lit("r").alias("_op"),
        position.alias("_sequence"),
        moment.alias("_source_ts"),
        F.element_at(F.split(F.col("_metadata.file_path"), "/"), -1).alias("_source"),
        F.lit("files").alias("_method"),
        origin.alias("_origin"),
        rescued.alias("_rescued"),
        F.lit(None).cast("map<string,string>").alias("_before"),
    )
