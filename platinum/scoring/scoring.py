"""The platinum stream: events of bronze get the features of gold, a model scores them, once each."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach, LakehouseError, UsageError, Violation
from lakehouse.layers import PLATINUM
from lakehouse.runs.ledger import Ledger, Step
from lakehouse.runs.lock import lock_domain
from lakehouse.storage.tables import TableName, Tables
from platinum.scoring.checkpoints import damaged, set_aside
from platinum.scoring.outcome import BAD, SCORED, Outcome, Stream, summary
from platinum.training.model_store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings
    from platinum.scoring.micro_batch import Scorer

_log = logging.getLogger(__name__)

TRIGGER_INTERVAL = "1 second"


def score(
    settings: Settings,
    domain: str,
    *,
    always_on: bool = False,
    since_batch: int = 0,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Score the events that arrived since the last call; return a summary by model.

    `since_batch` leaves out bronze rows of earlier runs. Events from before the features of the
    published gold are never scored: their features would know more than was known then. With
    `always_on` it goes on until it is interrupted.

    Raises:
        UsageError: no contract declares a score, or model, gold or bronze do not exist yet.
    """
    contracts = load_domain(settings.contracts, domain)
    streams = [Stream.of(settings, c, contracts) for c in contracts.values() if c.score]
    if not streams:
        raise UsageError(f"domain '{domain}' declares no model: add a contract with `score`")
    report = progress or (lambda _: None)
    with lock_domain(settings.home, f"{domain}-score", "score"):
        summaries = {}
        for stream in streams:
            _require_inputs(settings, stream)
            _replace_damaged_checkpoint(stream, report)
            outcome = Outcome(stream)
            if always_on or _has_new_events(settings, stream):
                outcome = _run_stream(
                    settings, stream, always_on=always_on, since_batch=since_batch, progress=report
                )
            summaries[stream.contract.dataset] = summary(settings, outcome)
        return summaries


def _require_inputs(settings: Settings, stream: Stream) -> None:
    """Raise UsageError unless the stream has everything it needs; checked without a JVM."""
    tables = Tables.at(settings)
    require_event_columns(tables, stream.source, stream.contract, stream.events)
    ModelStore.of(settings, stream.contract.domain, stream.contract.dataset).current()
    for name, layer in ((stream.source, "bronze"), (stream.context, "gold")):
        if not tables.exists(name):
            raise UsageError(f"{name} does not exist yet: run the {layer} layer first")


def _replace_damaged_checkpoint(stream: Stream, progress: Callable[[str], None]) -> None:
    """Rename a damaged checkpoint: a new one reads all events, and those scored are skipped."""
    if file := damaged(stream.checkpoint):
        aside = set_aside(stream.checkpoint)
        _log.warning(
            "%s: %s of its checkpoint cannot be read; kept as %s, and a new one begins",
            stream.scores, file, aside,
        )  # fmt: skip
        progress(
            f"{stream.contract.dataset}: the checkpoint was damaged ({file}), a new one begins"
        )


def require_event_columns(
    tables: Tables, source: TableName, score: Contract, dataset: Contract
) -> None:
    """Raise ContractBreach where events lack a column by which they are scored; no table, no breach.

    The stream would count every event as bad; it is one breach.
    """
    table, declared = tables.open(source), score.score["events"]
    if table is None:
        return
    existing = {field.name for field in table.schema().fields}
    needed = dict.fromkeys((declared["key"], *declared["entity"], declared["timestamp"]))
    lacking = [name for name in needed if name not in existing or name not in dataset.names]
    if lacking:
        reason = f"{source} lacks {', '.join(lacking)}, by which its events are scored"
        broken = Violation(score.dataset, "platinum", "event schema", reason, table=str(source))
        raise ContractBreach(f"{score.dataset}: {reason}: nothing was scored", [broken])


def _has_new_events(settings: Settings, stream: Stream) -> bool:
    """Return whether bronze moved on since the last call that ended well; checked without a JVM."""
    tables = Tables.at(settings)
    if not (stream.checkpoint / "metadata").exists():
        return True
    steps = [
        step["version_to"]
        for step in Ledger(tables).steps(stream.contract.domain)
        if step["table"] == str(stream.scores) and step["status"] == "done"
    ]
    return not steps or steps[-1] < tables.version(stream.source)


def _run_stream(
    settings: Settings,
    stream: Stream,
    *,
    always_on: bool,
    since_batch: int,
    progress: Callable[[str], None],
) -> Outcome:
    from lakehouse.engine.session import boot, spark

    boot(settings, short=not always_on)
    from platinum.scoring.micro_batch import Scorer

    tables, start = Tables.at(settings), time.monotonic()
    # Taken before the query starts, which reads at least so far.
    reached = tables.version(stream.source)
    progress(f"{stream.contract.dataset}: starting the stream")
    with Ledger(tables).run(stream.contract.domain, "score", (PLATINUM,)) as run:
        outcome = Outcome(stream, run=run.number)
        scorer = Scorer(settings, outcome, progress)
        session = spark(settings, short=not always_on)
        _run_query(session, tables, stream, scorer, always_on=always_on, since_batch=since_batch)
        outcome.seconds = time.monotonic() - start
        run.record(_step(run, outcome, reached if not always_on else -1))
    return outcome


def _run_query(
    session: SparkSession,
    tables: Tables,
    stream: Stream,
    scorer: Scorer,
    *,
    always_on: bool,
    since_batch: int,
) -> None:
    """Run the query until everything there was is scored, or until interrupted."""
    from pyspark.errors import StreamingQueryException

    # A rewrite of old files (compaction, erasure) brings no event: it is passed over.
    rows = (
        session.readStream.format("delta")
        .option("skipChangeCommits", "true")
        .load(tables.path(stream.source))
        .where(f"_batch >= {int(since_batch)}")
    )
    writer = rows.writeStream.foreachBatch(scorer.score).option(
        "checkpointLocation", str(stream.checkpoint)
    )
    paced = (
        writer.trigger(processingTime=TRIGGER_INTERVAL)
        if always_on
        else writer.trigger(availableNow=True)
    )
    query = paced.start()
    scorer.application = f"{stream.scores}/{query.id}"
    scorer.ready.set()
    try:
        _await(query)
    except StreamingQueryException as error:
        first = str(error).strip().splitlines()[0]
        raise LakehouseError(
            f"{stream.scores}: the stream stopped: {first[:500]}; scores written so far are kept, start it again"
        ) from error


def _await(query: StreamingQuery) -> None:
    try:
        query.awaitTermination()
    except KeyboardInterrupt:
        query.stop()


def _step(run: Run, outcome: Outcome, reached: int) -> Step:
    lines, stream = outcome.lines, outcome.stream
    bad, scored = lines[BAD], lines[SCORED]
    total = sum(lines.values())
    return Step(
        run=run.number,
        domain=run.domain,
        layer="platinum",
        table=str(stream.scores),
        input=total,
        valid=scored,
        quarantined=bad,
        superseded=total - scored - bad,
        written=outcome.rows,
        bytes=outcome.bytes,
        seconds=outcome.seconds,
        upstream=str(stream.source),
        version_to=reached,
        contract_version=stream.contract.version,
    )
