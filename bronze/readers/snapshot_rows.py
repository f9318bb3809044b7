"""Bronze rows of files in which each row is one event: a row of a snapshot, or of a drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from bronze.type_coercion import EPOCH, SNAPSHOT_POSITION, payload

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from contracts.model.contract import Contract

METADATA = ("_origin", "_source_ts")


def snapshot_rows(frame: DataFrame, contract: Contract, order: str) -> DataFrame:
    """Return one bronze row (without batch columns) a row of a frame that was read from files.

    `order` names the column by which events of one key are ordered, none for a snapshot, whose
    rows stand before every change. Texts are taken as bytes that may be no UTF-8.
    """
    types = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    given = {name: (F.col(f"`{name}`"), kind) for name, kind in types.items()}
    unknown = [name for name in types if name not in contract.names and name not in METADATA]
    columns, rescued = payload(contract, given, unknown, raw_texts=True)
    position = F.lit(SNAPSHOT_POSITION)
    if order:
        position = F.concat(
            F.lpad(F.col(order).cast("string"), 19, "0"), F.lit(SNAPSHOT_POSITION[19:])
        )
    origin = F.col("_origin") if "_origin" in types else F.lit("real")
    moment = F.col("_source_ts").cast("timestamp") if "_source_ts" in types else F.expr(EPOCH)
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
