"""The best and the worst scores of a domain, and the actions they led to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.storage.tables import dictionaries
from operations.lineage import full_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deltalake import DeltaTable

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

ROWS_SHOWN = 5


def scores(settings: Settings, domain: str, contracts: dict[str, Contract]) -> list[dict[str, Any]]:
    """Return an entry for every score contract with a table: actions, best and worst rows."""
    from lakehouse.storage.tables import TableName, Tables

    entries = []
    for contract in contracts.values():
        if not contract.score:
            continue
        name = TableName.parse(full_name("platinum", domain, contract.score["table"]))
        table = Tables.at(settings).open(name)
        if table is not None:
            entries.append({"table": str(name), **_of(table, _columns(contract, table))})
    return entries


def _columns(contract: Contract, table: DeltaTable) -> list[str]:
    """Return the columns to show: entity, candidate, time, score and action."""
    stored = [field.name for field in table.schema().fields]
    declared = contract.score
    columns: Iterable[str] = (
        *declared.get("events", {}).get("entity", ()),
        *declared.get("context", {}).get("candidate", ()),
        "event_time",
        "score",
        "action",
    )
    return [name for name in dict.fromkeys(columns) if name in stored]


def _of(table: DeltaTable, columns: list[str]) -> dict[str, Any]:
    shown = ", ".join(f'"{name}"' for name in columns)
    stored = {field.name for field in table.schema().fields}
    if "score" not in stored:
        return {"columns": columns, "best": [], "worst": [], "actions": []}
    select = f"select {shown} from scores where score is not null order by score"
    actions = "select action, count(*) as rows from scores group by action order by rows desc"
    return {
        "columns": columns,
        "best": _query(table, f"{select} desc limit {ROWS_SHOWN}"),
        "worst": _query(table, f"{select} asc limit {ROWS_SHOWN}"),
        "actions": _query(table, actions) if "action" in stored else [],
    }


def _query(table: DeltaTable, text: str) -> list[dict[str, Any]]:
    from deltalake import QueryBuilder

    return dictionaries(QueryBuilder().register("scores", table).execute(text).read_all())
