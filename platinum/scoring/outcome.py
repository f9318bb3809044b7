"""What one call of the stream does: where it reads and writes, what it scored and left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.engine import duckdb
from lakehouse.errors import LakehouseError
from lakehouse.storage.tables import TableName, Tables
from platinum.training.model_store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

BAD, ALREADY_SCORED, BEFORE_FEATURES = "bad", "already_scored", "before_features"
NO_CANDIDATE, SCORED = "no_candidate", "scored"
# State of an event -> the reason as a person reads it
STATES = {
    BAD: "no row of theirs is usable",
    ALREADY_SCORED: "scored before",
    BEFORE_FEATURES: "happened before the features of the published gold",
    NO_CANDIDATE: "their entity has no candidate",
    SCORED: "scored",
}


@dataclass(frozen=True)
class Stream:
    """One model's stream: the events it reads, the context of features, the scores, the checkpoint."""

    contract: Contract
    events: Contract
    source: TableName
    context: TableName
    scores: TableName
    checkpoint: Path

    @classmethod
    def of(
        cls, settings: Settings, contract: Contract, contracts: Mapping[str, Contract]
    ) -> Stream:
        """Return the stream of a score contract."""
        dataset = contract.score["events"]["dataset"]
        if dataset not in contracts:
            raise LakehouseError(f"{contract.file}: events: the domain has no dataset '{dataset}'")
        return cls(
            contract=contract,
            events=contracts[dataset],
            source=TableName.of("bronze", contract.domain, dataset),
            context=TableName.of("gold", contract.domain, contract.score["context"]["table"]),
            scores=TableName.of("platinum", contract.domain, contract.score["table"]),
            checkpoint=settings.home / "checkpoints" / contract.domain / contract.dataset,
        )


@dataclass
class Outcome:
    """What one call scored and left out, in events and in the bronze rows they consist of."""

    stream: Stream
    seconds: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    bytes: int = 0
    run: int = 0


def summary(settings: Settings, outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain values, with the best and worst scores of the call."""
    stream, states = outcome.stream, outcome.states
    manifest = (
        ModelStore.of(settings, stream.contract.domain, stream.contract.dataset).manifest() or {}
    )
    best, worst, latency = _extremes(Tables.at(settings), outcome)
    return {
        "table": str(stream.scores),
        "run": outcome.run,
        "model_version": manifest.get("version"),
        "events": states.total(),
        "scored": states[SCORED],
        "rows": outcome.rows,
        "left_out": {
            reason: states[state]
            for state, reason in STATES.items()
            if state != SCORED and states[state]
        },
        "lines": outcome.lines.total(),
        "bad_lines": outcome.lines[BAD],
        "latency_ms": latency,
        "best": best,
        "worst": worst,
        "seconds": outcome.seconds,
    }


def _extremes(
    tables: Tables, outcome: Outcome, count: int = 3
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, int]]:
    """Return the events' best candidates with the highest and lowest scores, and the latencies."""
    table = tables.open(outcome.stream.scores) if outcome.rows else None
    if table is None:
        return [], [], {}
    rows = pa.table(table.scan(predicate=f'"_batch" = {outcome.run}'))
    columns = ", ".join(f'"{name}"' for name in outcome.stream.contract.names)
    with duckdb.connection() as connection:
        connection.register("rows", rows)

        def top(order: str) -> list[dict[str, Any]]:
            query = (
                f"select {columns} from rows where rank = 1 order by score {order}, 1 limit {count}"
            )
            return connection.sql(query).to_arrow_table().to_pylist()

        middle, high = connection.sql(
            "select quantile_disc(latency_ms, 0.5), quantile_disc(latency_ms, 0.95) from rows"
        ).fetchall()[0]
        return top("desc"), top("asc"), {"p50": middle, "p95": high}
