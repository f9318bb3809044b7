"""How a score gets its features: an event is joined with the candidates that gold published.

Gold's context table, which the contract's `score.context` names, has one row a candidate of an entity
and span of validity, with the features in its columns. `load_published_features` reads its published
version, `join_features` gives each event the candidates that are valid at the event's time, and
`feature_rows` returns them one a row, with the features as they stand in gold: what is learnt from
and what is scored by are the same columns of the same tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from lakehouse.errors import LakehouseError
from lakehouse.point_in_time import instants
from lakehouse.storage.publications import published
from platinum.scoring.outcome import ALREADY_SCORED, BAD, BEFORE_FEATURES, NO_CANDIDATE, SCORED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from lakehouse.storage.tables import TableName, Tables
    from platinum.scoring.columns import ScoreColumns


@dataclass(frozen=True)
class PublishedFeatures:
    """The features that gold published: candidates by entity, and the instant the first is known from."""

    version: int
    by_entity: DataFrame
    earliest: Any


def published_version(tables: Tables, context: TableName) -> int:
    """Return the version of the context table that gold last published, else its newest."""
    return published(tables, context.domain).get(context, tables.version(context))


def load_published_features(
    session: SparkSession, tables: Tables, context: TableName, version: int,
    columns: ScoreColumns, features: tuple[str, ...],
) -> PublishedFeatures:  # fmt: skip
    """Return the candidates and features of a version of the context table, cached in Spark.

    Raises:
        LakehouseError: the table lacks a column that the model or its contract needs.
    """
    table = tables.open(context, version)
    assert table is not None
    existing = [field.name for field in table.schema().fields]
    needed = (*columns.entity, *columns.of_candidate, *features)
    missing = [column for column in needed if column not in existing]
    if missing:
        raise LakehouseError(f"{context} lacks {missing}, which the model and its contract need")
    known_from = instants(pa.table(table.scan([columns.known_from]))[columns.known_from])
    rows = session.read.format("delta").option("versionAsOf", version).load(tables.path(context))
    by_entity = candidates_by_entity(rows, columns, features).persist()
    return PublishedFeatures(version, by_entity, pc.min(known_from).as_py())


def candidates_by_entity(
    context: DataFrame, columns: ScoreColumns, features: tuple[str, ...]
) -> DataFrame:
    """Return one row an entity with `_all`: its candidates with their validity and features."""
    inner = dict.fromkeys((*columns.of_candidate, *features))
    packed = F.struct(*[F.col(name) for name in inner])
    return context.groupBy(*columns.entity).agg(F.collect_list(packed).alias("_all"))


def join_features(
    events: DataFrame, scores: DataFrame | None, published: PublishedFeatures, columns: ScoreColumns
) -> DataFrame:
    """Return the events with `_candidates`, those valid at the event's time, and `_state`.

    `scores` are the scores written so far: an event among them is not scored again.
    """
    joined = events.join(F.broadcast(published.by_entity), on=list(columns.entity), how="left")
    is_scored = F.lit(False)
    if scores is not None:
        marked = scores.select(columns.key).distinct().withColumn("_scored", F.lit(True))
        joined = joined.join(marked, on=columns.key, how="left")
        is_scored = F.col("_scored").isNotNull()
    valid = F.filter(F.col("_all"), lambda candidate: _is_valid(candidate, columns))
    state = (
        F.when(F.col("event_time").isNull(), BAD)
        .when(is_scored, ALREADY_SCORED)
        .when(F.col("event_time") < F.lit(published.earliest), BEFORE_FEATURES)
        .when(F.coalesce(F.size("_candidates"), F.lit(0)) < 1, NO_CANDIDATE)
        .otherwise(SCORED)
    )
    return (
        joined.withColumn("_candidates", valid).withColumn("_state", state).drop("_all", "_scored")
    )


def _is_valid(candidate: Column, columns: ScoreColumns) -> Column:
    at, until = F.col("event_time"), candidate[columns.valid_to]
    begun = (at >= candidate[columns.known_from]) & (at >= candidate[columns.valid_from])
    return begun & (until.isNull() | (at < until))


def feature_rows(events: DataFrame, columns: ScoreColumns, features: tuple[str, ...]) -> DataFrame:
    """Return one row an event to be scored and candidate, with the features as they stand in gold."""
    event = (columns.key, *columns.entity, "event_time", "ingested_at")
    return (
        events.where(F.col("_state") == SCORED)
        .select(*event, F.explode("_candidates").alias("_candidate"))
        .select(
            *event,
            *[F.col(f"_candidate.{name}").alias(name) for name in (*columns.candidate, *features)],
        )
    )
