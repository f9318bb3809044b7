"""The best and the worst scores of a domain, and what was done with all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.storage.tables import dictionaries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deltalake import DeltaTable

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

SHOWN = 5


def scores(settings: Settings, domain: str, contracts: dict[str, Contract]) -> list[dict[str, Any]]:
    """Return one entry a score contract whose table there is: actions, best and worst rows."""
    from lakehouse.storage.tables import TableName, Tables

    found = []
    for contract in contracts.values():
        table = str(contract.score.get("table", "")).rpartition(".")[2] if contract.score else ""
        if not table:
            continue
        name = TableName("platinum", table if "__" in table else f"{domain}__{table}")
        opened = Tables.at(settings).open(name)
        if opened is not None:
            found.append({"table": str(name), **_of(opened, _columns(contract, opened))})
    return found


def _columns(contract: Contract, opened: DeltaTable) -> list[str]:
    """Return the columns worth showing: who, which candidate, when, how good, what was done."""
    there = [field.name for field in opened.schema().fields]
    declared = contract.score
    wanted: Iterable[str] = (
        *declared.get("events", {}).get("entity", ()),
        *declared.get("context", {}).get("candidate", ()),
        "event_time",
        "score",
        "action",
    )
    return [name for name in dict.fromkeys(wanted) if name in there]


def _of(opened: DeltaTable, columns: list[str]) -> dict[str, Any]:
    shown = ", ".join(f'"{name}"' for name in columns)
    there = {field.name for field in opened.schema().fields}
    if "score" not in there:
        return {"columns": columns, "best": [], "worst": [], "actions": []}
    select = f"select {shown} from scores where score is not null order by score"
    actions = "select action, count(*) as rows from scores group by action order by rows desc"
    return {
        "columns": columns,
        "best": _query(opened, f"{select} desc limit {SHOWN}"),
        "worst": _query(opened, f"{select} asc limit {SHOWN}"),
        "actions": _query(opened, actions) if "action" in there else [],
    }


def _query(opened: DeltaTable, text: str) -> list[dict[str, Any]]:
    from deltalake import QueryBuilder

    return dictionaries(QueryBuilder().register("scores", opened).execute(text).read_all())
