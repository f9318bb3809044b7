"""From bronze rows to scored candidates: pure transforms of DataFrames, no reading, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql.window import Window

from contracts.compilers import gate
from lakehouse.engine.python_checks import with_python_checks
from platinum.scoring.outcome import ALONE, BAD, EARLY, FRESH, SEEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column, DataFrame

    from contracts.model.contract import Contract


@dataclass(frozen=True)
class Shape:
    """The columns a score contract names, by the part they play."""

    key: str
    entity: tuple[str, ...]
    timestamp: str
    operations: tuple[str, ...]
    candidate: tuple[str, ...]
    known_from: str
    valid_from: str
    valid_to: str

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> Shape:
        """Return the shape of a contract's `score`."""
        events, context = declared["events"], declared["context"]
        return cls(
            events["key"], tuple(events["entity"]), events["timestamp"], tuple(events["operations"]),
            tuple(context["candidate"]),
            context["knownFrom"], context["validFrom"], context["validTo"],
        )  # fmt: skip

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the columns of a bronze row without which it cannot be scored."""
        return tuple(dict.fromkeys((self.key, *self.entity, self.timestamp)))


def lines(rows: DataFrame, contract: Contract, shape: Shape) -> DataFrame:
    """Return the rows of the scored operations, cleansed, with `_good`: whether all needed is right.

    Only the rules of the needed columns count: a wrong price does not keep an event from its
    offer. What is wrong with the rest of the row is silver's to say.
    """
    narrow = contract.narrowed(shape.needed)
    kept = [F.expr(gate.cleansed(column)).alias(column.name) for column in narrow.columns]
    cleansed = rows.where(F.col("_op").isin(*shape.operations)).select(
        *kept, "_op", "_rescued", "_sequence", "_ingested_at"
    )
    cleansed = with_python_checks(cleansed, narrow)
    complete = F.lit(True)
    for name in shape.needed:
        complete = complete & F.col(name).isNotNull()
    good = complete & F.expr(gate.good(narrow))
    return cleansed.select(*shape.needed, "_sequence", "_ingested_at", good.alias("_good"))


def events(rows: DataFrame, shape: Shape) -> DataFrame:
    """Return one row an event: entity and time by its first good row, and when its last had landed.

    `_lines` and `_bad` count the rows; an event without a good row has no entity.
    """
    first = ", ".join(f"`{name}`" for name in (*shape.entity, shape.timestamp))
    return (
        rows.groupBy(shape.key)
        .agg(
            F.expr(f"min_by(struct({first}), _sequence) filter (where _good)").alias("_first"),
            F.max("_ingested_at").alias("ingested_at"),
            F.count(F.lit(1)).alias("_lines"),
            F.count_if(~F.col("_good")).alias("_bad"),
        )
        .select(
            shape.key,
            *[F.col(f"_first.{name}").alias(name) for name in shape.entity],
            F.col(f"_first.{shape.timestamp}").alias("event_time"),
            "ingested_at", "_lines", "_bad",
        )
    )  # fmt: skip


def candidates_by_entity(context: DataFrame, shape: Shape, features: tuple[str, ...]) -> DataFrame:
    """Return one row an entity with `_all`: its candidates, each with validity and features."""
    inner = (*shape.candidate, shape.known_from, shape.valid_from, shape.valid_to, *features)
    packed = F.struct(*[F.col(name) for name in dict.fromkeys(inner)])
    return context.groupBy(*shape.entity).agg(F.collect_list(packed).alias("_all"))


def judged(
    found: DataFrame, seen: DataFrame | None, context: DataFrame, shape: Shape, earliest: Any
) -> DataFrame:
    """Return the events with `_candidates`, those that hold at the event's time, and `_state`."""
    by_entity = found.join(F.broadcast(context), on=list(shape.entity), how="left")
    is_seen = F.lit(False)
    if seen is not None:
        marked = seen.select(shape.key).distinct().withColumn("_seen", F.lit(True))
        by_entity = by_entity.join(marked, on=shape.key, how="left")
        is_seen = F.col("_seen").isNotNull()
    holding = F.filter(F.col("_all"), lambda one: _holds(one, shape))
    state = (
        F.when(F.col("event_time").isNull(), BAD)
        .when(is_seen, SEEN)
        .when(F.col("event_time") < F.lit(earliest), EARLY)
        .when(F.coalesce(F.size("_candidates"), F.lit(0)) < 1, ALONE)
        .otherwise(FRESH)
    )
    return (
        by_entity.withColumn("_candidates", holding)
        .withColumn("_state", state)
        .drop("_all", "_seen")
    )


def _holds(one: Column, shape: Shape) -> Column:
    at, until = F.col("event_time"), one[shape.valid_to]
    begun = (at >= one[shape.known_from]) & (at >= one[shape.valid_from])
    return begun & (until.isNull() | (at < until))


def exploded(found: DataFrame, shape: Shape, features: tuple[str, ...]) -> DataFrame:
    """Return one row an event to be scored and candidate, with the features as they stand in gold."""
    kept = (shape.key, *shape.entity, "event_time", "ingested_at")
    return (
        found.where(F.col("_state") == FRESH)
        .select(*kept, F.explode("_candidates").alias("_one"))
        .select(
            *kept, *[F.col(f"_one.{name}").alias(name) for name in (*shape.candidate, *features)]
        )
    )


def decided(
    scored: DataFrame, shape: Shape, actions: Mapping[str, Any], threshold: float
) -> DataFrame:
    """Return the scored candidates with latency, rank within the event and action.

    Only an event's best candidate may get the action `best`; equal scores rank by candidate.
    """
    order = Window.partitionBy(shape.key).orderBy(F.desc("score"), *shape.candidate)
    rank = F.row_number().over(order)
    good = (F.col("rank") == 1) & (F.col("score") >= threshold)
    late = (F.unix_micros("scored_at") - F.unix_micros("ingested_at")) / 1000
    return (
        scored.withColumn("latency_ms", late.cast("bigint"))
        .withColumn("rank", rank)
        .withColumn("action", F.when(good, actions["best"]).otherwise(actions["otherwise"]))
    )
