"""One micro-batch of the platinum stream: events, their features, scores, written in one commit."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from contracts.compilers import table_descriptions as describe
from lakehouse.storage.tables import Tables
from platinum.scoring import actions, events, features
from platinum.scoring.columns import ScoreColumns
from platinum.scoring.onnx_scorer import SCORE, SCORED_AT, score_batches
from platinum.scoring.outcome import BAD, SCORED
from platinum.training.model_store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.settings import Settings
    from platinum.scoring.features import PublishedFeatures
    from platinum.scoring.outcome import Outcome
    from platinum.training.model_store import Model


class Scorer:
    """Scores micro-batches; looks for a new model and publication at each, loads them when they moved.

    `application` names the query in the scores' own log: a batch that is repeated after a crash
    is skipped there. It follows the checkpoint, since a new one counts its batches from 0 again.
    """

    def __init__(
        self, settings: Settings, outcome: Outcome, progress: Callable[[str], None]
    ) -> None:
        self.stream, self.outcome, self.progress = outcome.stream, outcome, progress
        self.contract = outcome.stream.contract
        self.tables = Tables.at(settings)
        self.store = ModelStore.of(settings, self.contract.domain, self.contract.dataset)
        self.columns = ScoreColumns.of(self.contract.score)
        self.application = ""
        self.ready = threading.Event()
        self._model: Model | None = None
        self._published: PublishedFeatures | None = None

    def score(self, batch: DataFrame, number: int) -> None:
        """Score one micro-batch and add its counts to the outcome."""
        self.ready.wait()
        session = batch.sparkSession
        model, published = self._current(session)
        rows = events.event_rows(batch, self.stream.events, self.columns)
        joined = features.join_features(
            events.group_events(rows, self.columns),
            self._written_scores(session), published, self.columns,
        ).persist()  # fmt: skip
        try:
            if self._count(joined):
                self._write(joined, model, published, number)
        finally:
            joined.unpersist()
        scored = self.outcome.states[SCORED]
        self.progress(f"{self.contract.dataset}: {scored:,} events scored")

    def _written_scores(self, session: SparkSession) -> DataFrame | None:
        if not self.tables.exists(self.stream.scores):
            return None
        return session.read.format("delta").load(self.tables.path(self.stream.scores))

    def _count(self, joined: DataFrame) -> int:
        """Add the batch's events and rows to the outcome; return how many events are to be scored."""
        from pyspark.sql import functions as F

        counts = joined.groupBy("_state").agg(
            F.count(F.lit(1)).alias("events"),
            F.sum("_lines").alias("lines"),
            F.sum("_bad").alias("bad"),
        )
        to_score = 0
        for row in counts.collect():
            state, bad = row["_state"], row["bad"]
            self.outcome.states[state] += row["events"]
            self.outcome.lines[state] += row["lines"] - bad
            self.outcome.lines[BAD] += bad
            to_score += row["events"] if state == SCORED else 0
        return to_score

    def _write(
        self, joined: DataFrame, model: Model, published: PublishedFeatures, number: int
    ) -> None:
        from pyspark.sql import functions as F

        from lakehouse.storage.append import append

        columns, declared = self.columns, self.contract.score
        rows = features.feature_rows(joined, columns, model.columns)
        copied = tuple(name for name in rows.columns if name not in model.columns)
        types = ", ".join(
            f"`{field.name}` {field.dataType.simpleString()}"
            for field in rows.select(*copied).schema
        )
        scored = rows.mapInArrow(
            partial(score_batches, onnx=model.onnx, columns=model.columns, copied=copied),
            f"{types}, {SCORE} double, {SCORED_AT} timestamp",
        )
        threshold = model.manifest["threshold"]
        final = actions.with_actions(scored, columns, declared["actions"], threshold).withColumns(
            {
                "model_name": F.lit(model.manifest["name"]),
                "model_version": F.lit(model.manifest["version"]),
                "context_version": F.lit(published.version).cast("bigint"),
                "_batch": F.lit(self.outcome.run).cast("bigint"),
            }
        )
        written = append(
            self.tables,
            self.stream.scores,
            final.select(*self.contract.names, "_batch"),
            idempotency_key=(self.application, number),
            skip_on=("_batch", columns.key),
            described=describe.platinum(self.contract),
        )
        self.outcome.rows += written.rows
        self.outcome.bytes += written.bytes

    def _current(self, session: SparkSession) -> tuple[Model, PublishedFeatures]:
        """Return the current model and the features that gold last published."""
        manifest = self.store.manifest()
        if self._model is None or manifest != self._model.manifest:
            self._model, self._published = self.store.current(), None
        version = features.published_version(self.tables, self.stream.context)
        if self._published is None or self._published.version != version:
            if self._published is not None:
                self._published.by_entity.unpersist()
            self._published = features.load_published_features(
                session,
                self.tables,
                self.stream.context,
                version,
                self.columns,
                self._model.columns,
            )
        return self._model, self._published
