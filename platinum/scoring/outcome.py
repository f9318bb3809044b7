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

BAD, SEEN, EARLY, ALONE, FRESH = "bad", "seen", "early", "alone", "fresh"
STATES = {
    BAD: "no row of theirs is usable",
    SEEN: "scored before",
    EARLY: "happened before the features of the published gold",
    ALONE: "their entity has no candidate",
    FRESH: "scored",
}


@dataclass(frozen=True)
class Stream:
    """One model's stream: what it reads, where it writes, where it keeps its place."""

    contract: Contract
    events: Contract
    source: TableName
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


def told(settings: Settings, outcome: Outcome) -> dict[str, Any]:
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
        "scored": states[FRESH],
        "rows": outcome.rows,
        "left_out": {
            why: states[state] for state, why in STATES.items() if state != FRESH and states[state]
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
            found = connection.sql(
                f"select {columns} from rows where rank = 1 order by score {order}, 1 limit {count}"
            )
            return found.to_arrow_table().to_pylist()

        middle, high = connection.sql(
            "select quantile_disc(latency_ms, 0.5), quantile_disc(latency_ms, 0.95) from rows"
        ).fetchall()[0]
        return top("desc"), top("asc"), {"p50": middle, "p95": high}
