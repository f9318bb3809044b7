"""Duplicates: a change log may have an event twice, and a file a row twice.

An event is identified by its key and position (`_sequence`); a file that was sent again is skipped
before, by its content (`bronze/discovery.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pyspark.sql import Window
from pyspark.sql import functions as F

from contracts.compilers.gate import TOMBSTONE, TRUNCATE
from contracts.sql import literal
from silver.gate import GOOD, IDENTITY, UNCHANGED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from contracts.model.contract import Contract

OUTCOME = "_outcome"
OUTCOMES = ("valid", "quarantined", "superseded", "truncate")
Duplicates = Literal["none", "some", "anywhere"]
SAME = ("_op", "_hashdiff")
# The position of what a source had before its log began
FIRST_SNAPSHOT = "0" * 19


def outcomes(
    rows: DataFrame, contract: Contract, stored: DataFrame | None, duplicates: Duplicates
) -> DataFrame:
    """Return the rows with `_outcome`: valid, quarantined, superseded or truncate.

    An event that is stored already, with the same content, is superseded. Another content for one
    key and position contradicts it and is quarantined: which one is true cannot be decided. A
    tombstone duplicates the delete before it, so it is superseded; so is a later snapshot of rows
    without a key, since which of them the log already has cannot be decided.
    `stored` has (key, position, content) of events that may be duplicated, None for none.
    `duplicates` is how to search the rows themselves: not at all (`none`), by ranking every row
    (`anywhere`), or only those whose identity occurs twice (`some`), which spares most rows the
    sort but validates them twice.
    """
    assert contract.vault is not None
    parent = f"{contract.vault.parent}_hk"
    good = F.col(GOOD)
    outcome = F.when(good, F.lit("valid")).otherwise(F.lit("quarantined"))
    if duplicates != "none":
        rows = _ranked(rows, contract) if duplicates == "anywhere" else _some_ranked(rows, contract)
        outcome = F.when(good, _against(F.col("_first"), F.col("_rank") > 1)).otherwise(
            "quarantined"
        )
    empty = F.when(F.col("_op") == TOMBSTONE, "superseded")
    if contract.keyless:
        again = (F.col("_op") == "r") & ~F.col("_sequence").startswith(FIRST_SNAPSHOT)
        empty = empty.when(good & again, "superseded")
    else:
        empty = empty.when(F.col("_op") == TRUNCATE, "truncate")
    rows = rows.withColumn(OUTCOME, F.coalesce(empty, outcome))
    if stored is not None:
        stored = stored.select(
            F.col(parent).alias("_stored_hk"),
            F.col("_sequence").alias("_stored_sequence"),
            F.struct(*SAME).alias("_stored"),
        )
        matched = (F.col(parent) == F.col("_stored_hk")) & (
            F.col("_sequence") == F.col("_stored_sequence")
        )
        if contract.keyless:
            matched &= F.col("_op") == F.col("_stored._op")
        rows = rows.join(stored, matched, how="left")
        against = F.when(
            F.col(OUTCOME) == "valid", _against(F.col("_stored"), F.col("_stored").isNotNull())
        )
        rows = rows.withColumn(OUTCOME, F.coalesce(against, F.col(OUTCOME)))
    contradicts = good & (F.col(OUTCOME) == "quarantined")
    return rows.withColumn(
        "_failures", F.when(contradicts, _failure(contract)).otherwise(F.col("_failures"))
    )


def _against(other: Column, is_duplicate: Column) -> Column:
    # a stored event's unchanged values have been filled since, so its content may differ
    same = (F.struct(*SAME) == other) | (
        F.col(UNCHANGED).isNotNull() & (F.col("_op") == other["_op"])
    )
    return F.when(~is_duplicate, "valid").when(same, "superseded").otherwise("quarantined")


def _ranked(rows: DataFrame, contract: Contract) -> DataFrame:
    """Return the rows with their place among the good rows of one key and position, and its first."""
    good = F.col(GOOD)
    assert contract.vault is not None
    apart = (f"{contract.vault.parent}_hk", "_op") if contract.keyless else contract.keys
    same_event = Window.partitionBy(*apart, "_sequence", good).orderBy(*SAME, "_source")
    return rows.withColumns(
        {
            "_rank": F.row_number().over(same_event),
            "_first": F.first(F.struct(*SAME)).over(same_event),
        }
    )


def _some_ranked(rows: DataFrame, contract: Contract) -> DataFrame:
    twice = (
        rows.where(GOOD)
        .groupBy(IDENTITY)
        .agg(F.count(F.lit(1)).alias("_times"))
        .where(F.col("_times") > 1)
        .select(IDENTITY, F.expr("true").alias("_twice"))
    )
    marked = rows.join(twice, IDENTITY, how="left")
    single = marked.where(F.col("_twice").isNull())
    several = marked.where(F.col("_twice").isNotNull())
    return single.withColumns({"_rank": F.lit(1), "_first": F.struct(*SAME)}).unionByName(
        _ranked(several, contract)
    )


def _failure(contract: Contract) -> Column:
    keys = ", ".join(contract.keys)
    text = F.concat_ws(", ", *[F.col(column).cast("string") for column in contract.keys])
    return F.array(
        F.struct(
            F.expr(literal(keys)).alias("column"),
            F.lit("unique").alias("rule"),
            text.alias("value"),
        )
    )
