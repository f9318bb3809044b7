"""The outcomes of dbt's models and tests, and their report as each ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lakehouse.storage.tables import TableName

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one model or test."""

    name: str
    kind: str
    status: str
    seconds: float
    failures: int
    message: str
    query: str
    table: TableName | None
    tested: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Return whether this stops the publication."""
        return self.status in ("error", "fail", "runtime error")


def watched(progress: Progress) -> Callable[[Any], None]:
    """Return a callback of dbt that reports each model and test as it ends."""

    def heard(message: Any) -> None:
        data = message.data
        if message.info.name == "LogModelResult":
            progress(data.node_info.node_name, data.index, data.total)
        elif message.info.name == "LogTestResult":
            progress(data.node_info.node_name, data.index, data.num_models)

    return heard


def outcome(result: Any) -> Outcome:
    """Return a result of dbt as an outcome."""
    node = result.node
    is_model = node.resource_type == "model"
    tested = [] if is_model else [key.rpartition(".")[2] for key in node.depends_on.nodes]
    return Outcome(
        name=node.name,
        kind=str(node.resource_type),
        status=str(result.status),
        seconds=result.execution_time,
        failures=result.failures or 0,
        message=result.message or "",
        query=node.compiled_code or "",
        table=TableName(node.schema, node.alias) if is_model else None,
        tested=tuple(tested),
    )
