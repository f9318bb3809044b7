"""One micro-batch of the platinum stream: read, judge, score, write in one commit."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from contracts.compilers import table_descriptions as describe
from lakehouse.errors import LakehouseError
from lakehouse.point_in_time import instants
from lakehouse.storage.publications import published
from lakehouse.storage.tables import TableName, Tables
from platinum.scoring import events
from platinum.scoring.onnx_scorer import SCORE, SCORED_AT, score_batches
from platinum.scoring.outcome import BAD, FRESH
from platinum.training.model_store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings
    from platinum.scoring.outcome import Outcome
    from platinum.training.model_store import Model


@dataclass(frozen=True)
class Context:
    """The published candidates of gold, by entity, and the instant their features begin to hold."""

    version: int
    by_entity: DataFrame
    earliest: Any


class Scorer:
    """Scores micro-batches; model and context are looked up anew for each, loaded when they moved.

    `application` names the query in the scores' own log: a batch that is repeated after a crash
    is skipped there. It follows the checkpoint, since a new one counts its batches from 0 again.
    """

    def __init__(
        self,
        settings: Settings,
        contract: Contract,
        dataset: Contract,
        scores: TableName,
        outcome: Outcome,
        say: Callable[[str], None],
    ) -> None:
        self.contract, self.dataset, self.scores = contract, dataset, scores
        self.outcome, self.say = outcome, say
        self.tables = Tables.at(settings)
        self.store = ModelStore.of(settings, contract.domain, contract.dataset)
        self.shape = events.Shape.of(contract.score)
        self.application = ""
        self.ready = threading.Event()
        self._model: Model | None = None
        self._context: Context | None = None

    def score(self, batch: DataFrame, number: int) -> None:
        """Score one micro-batch; what it finds is added to the outcome."""
        self.ready.wait()
        session = batch.sparkSession
        model, context = self._current(session)
        rows = events.events(events.lines(batch, self.dataset, self.shape), self.shape)
        found = events.judged(
            rows, self._seen(session), context.by_entity, self.shape, context.earliest
        ).persist()
        try:
            if self._count(found):
                self._write(found, model, context, number)
        finally:
            found.unpersist()
        states = self.outcome.states
        self.say(f"{self.contract.dataset}: {states[FRESH]:,} events scored")

    def _seen(self, session: SparkSession) -> DataFrame | None:
        if not self.tables.exists(self.scores):
            return None
        return session.read.format("delta").load(self.tables.path(self.scores))

    def _count(self, found: DataFrame) -> int:
        """Add the batch's events and rows to the outcome; return how many events are to be scored."""
        from pyspark.sql import functions as F

        counts = found.groupBy("_state").agg(
            F.count(F.lit(1)).alias("events"),
            F.sum("_lines").alias("lines"),
            F.sum("_bad").alias("bad"),
        )
        fresh = 0
        for row in counts.collect():
            state, bad = row["_state"], row["bad"]
            self.outcome.states[state] += row["events"]
            self.outcome.lines[state] += row["lines"] - bad
            self.outcome.lines[BAD] += bad
            fresh += row["events"] if state == FRESH else 0
        return fresh

    def _write(self, found: DataFrame, model: Model, context: Context, number: int) -> None:
        from pyspark.sql import functions as F

        from lakehouse.storage.append import append

        shape, declared = self.shape, self.contract.score
        rows = events.exploded(found, shape, model.columns)
        kept = tuple(name for name in rows.columns if name not in model.columns)
        kinds = ", ".join(
            f"`{field.name}` {field.dataType.simpleString()}" for field in rows.select(*kept).schema
        )
        scored = rows.mapInArrow(
            partial(score_batches, onnx=model.onnx, columns=model.columns, kept=kept),
            f"{kinds}, {SCORE} double, {SCORED_AT} timestamp",
        )
        final = events.decided(scored, shape, declared["actions"], model.manifest["threshold"])
        final = final.withColumns(
            {
                "model_name": F.lit(model.manifest["name"]),
                "model_version": F.lit(model.manifest["version"]),
                "context_version": F.lit(context.version).cast("bigint"),
                "_batch": F.lit(self.outcome.run).cast("bigint"),
            }
        )
        written = append(
            self.tables,
            self.scores,
            final.select(*self.contract.names, "_batch"),
            idempotency_key=(self.application, number),
            skip_on=("_batch", shape.key),
            described=describe.platinum(self.contract),
        )
        self.outcome.rows += written.rows
        self.outcome.bytes += written.bytes

    def _current(self, session: SparkSession) -> tuple[Model, Context]:
        """Return the current model and the published context."""
        manifest = self.store.manifest()
        if self._model is None or manifest != self._model.manifest:
            self._model, self._context = self.store.current(), None
        name = TableName.of("gold", self.contract.domain, self.contract.score["context"]["table"])
        version = published(self.tables, self.contract.domain).get(name, self.tables.version(name))
        if self._context is None or self._context.version != version:
            if self._context is not None:
                self._context.by_entity.unpersist()
            self._context = self._load(session, name, version, self._model)
        return self._model, self._context

    def _load(self, session: SparkSession, name: TableName, version: int, model: Model) -> Context:
        table = self.tables.open(name, version)
        assert table is not None
        shape = self.shape
        needed = (
            *shape.entity, *shape.candidate, shape.known_from, shape.valid_from, shape.valid_to,
            *model.columns,
        )  # fmt: skip
        there = [field.name for field in table.schema().fields]
        missing = [column for column in needed if column not in there]
        if missing:
            raise LakehouseError(f"{name} lacks {missing}, which the model and its contract need")
        known = instants(pa.table(table.scan([shape.known_from]))[shape.known_from])
        rows = (
            session.read.format("delta").option("versionAsOf", version).load(self.tables.path(name))
        )
        by_entity = events.candidates_by_entity(rows, shape, model.columns).persist()
        return Context(version, by_entity, pc.min(known).as_py())
