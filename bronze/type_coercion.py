"""Type coercion of a bronze row: a value is typed where it fits, rescued as text where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import Column

    from contracts.model.contract import Contract

# The source time of rows that came without one: rows of a snapshot are valid from the beginning
EPOCH = "timestamp'1970-01-01 00:00:00'"
SNAPSHOT_POSITION = f"{0:019d}.0.{0:010d}"
WIDER = {
    ("tinyint", "smallint"), ("tinyint", "int"), ("tinyint", "bigint"), ("smallint", "int"),
    ("smallint", "bigint"), ("int", "bigint"), ("float", "double"), ("timestamp_ntz", "timestamp"),
}  # fmt: skip


def typed(value: Column, given: str, wanted: str) -> Column:
    """Return a value in the wanted type, null where it does not fit."""
    if given == wanted:
        return value
    if (given, wanted) in WIDER:
        return value.cast(wanted)
    if given == "string" and wanted == "date":
        # Debezium writes a date as 2017-12-28Z, which no cast reads.
        value = F.regexp_replace(value, "Z$", "")
    return value.try_cast(wanted)


def payload(
    contract: Contract,
    given: Mapping[str, tuple[Column, str]],
    unknown: Iterable[str],
    *,
    raw_texts: bool = False,
) -> tuple[list[Column], Column]:
    """Return the payload columns and the map of what did not fit.

    `given` has, by column name, the value and its type as the source gave it. Columns that the
    contract lacks (`unknown`) are kept as text. With `raw_texts` a text may have bytes that are
    no UTF-8: such a value does not fit, and is kept with replacement characters for these bytes.
    """
    columns, rescued = [], []
    for column in contract.columns:
        if column.name not in given:
            columns.append(F.lit(None).cast(column.type).alias(column.name))
            continue
        value, kind = given[column.name]
        fitted = typed(value, kind, column.type)
        if raw_texts and kind == column.type == "string":
            # Written as it is, no reader but Spark could open the file.
            fitted = F.when(F.is_valid_utf8(value), value)
            rescued.append(
                (column.name, F.make_valid_utf8(value), value.isNotNull() & fitted.isNull())
            )
        columns.append(fitted.alias(column.name))
        if kind != column.type and (kind, column.type) not in WIDER:
            rescued.append((column.name, value, value.isNotNull() & fitted.isNull()))
    texts = {name: given[name][0].cast("string") for name in unknown}
    columns += [
        (F.make_valid_utf8(text) if raw_texts else text).alias(name) for name, text in texts.items()
    ]
    return columns, _rescued(rescued)


def _rescued(values: list[tuple[str, Column, Column]]) -> Column:
    nothing = F.lit(None).cast("map<string,string>")
    if not values:
        return nothing
    anything = values[0][2]
    for _, _, misfit in values[1:]:
        anything = anything | misfit
    pairs = [
        F.when(misfit, F.struct(F.lit(name).alias("key"), value.cast("string").alias("value")))
        for name, value, misfit in values
    ]
    # Not array_compact: it is a function of higher order, with which Spark compiles no stage.
    none = F.array(F.lit(None).cast("struct<key:string,value:string>"))
    misfits = F.map_from_entries(F.array_except(F.array(*pairs), none))
    return F.when(anything, misfits).otherwise(nothing)


def also_rescued(rescued: Column, misfits: list[tuple[str, Column, Column]]) -> Column:
    """Return the map of what did not fit with more misfits: (name, value, whether it does not fit)."""
    more = _rescued(misfits)
    empty = F.create_map().cast("map<string,string>")
    both = F.map_concat(F.coalesce(rescued, empty), more)
    return F.when(more.isNull(), rescued).otherwise(both)
