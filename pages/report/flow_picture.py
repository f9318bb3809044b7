"""The flow of rows through a domain: a column a layer, a box a table, an edge an upstream."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lakehouse.layers import LAYERS
from operations.lineage import Edge, table_edges
from operations.quarantine import SUFFIX

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

# Hubs and links have keys alone: one box a kind keeps the picture readable
KEY_TABLES = {"hub_": "hubs", "lnk_": "links"}


def flow(
    settings: Settings, domain: str, contracts: dict[str, Contract], status: dict[str, Any]
) -> dict[str, Any]:
    """Return `columns` of boxes (key, label, value, note, tables) and `edges` between their keys."""
    events = {
        f"silver.{domain}__{contract.vault.events}": place
        for place, contract in enumerate(contracts.values())
        if contract.vault
    }
    columns = [{"layer": "source", "boxes": _sources(settings, domain, contracts, status)}]
    for layer in LAYERS:
        rows = [row for row in status["tables"] if row["layer"] == layer]
        columns.append({"layer": layer, "boxes": _boxes(layer, rows, events)})
    groups = {
        table: box["key"]
        for column in columns
        for box in column["boxes"]
        for table in box["tables"]
    }
    return {
        "columns": columns,
        "edges": _box_edges(table_edges(settings, domain, contracts), groups),
    }


def _box_edges(edges: set[Edge], groups: dict[str, str]) -> list[Edge]:
    """Return the edges between boxes, without those inside one column."""
    boxes: set[Any] = {(groups.get(a), groups.get(b)) for a, b in edges}
    return sorted(
        (a, b) for a, b in boxes if a and b and a.partition(".")[0] != b.partition(".")[0]
    )


def _sources(
    settings: Settings, domain: str, contracts: dict[str, Contract], status: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return one box a captured dataset: its captured and its pending files."""
    from bronze.discovery import FileLog
    from lakehouse.storage.tables import Tables

    log = FileLog(Tables.at(settings), domain)
    paths = {(entry.dataset, entry.path) for entry in log.entries if entry.status == "planned"}
    taken = Counter(dataset for dataset, _ in paths)
    pending = {item["dataset"]: item["files"] for item in status["pending"]}
    return [
        {
            "key": f"source.{dataset}",
            "label": dataset,
            "value": f"{taken[dataset]} file{'' if taken[dataset] == 1 else 's'}",
            "note": f"{pending[dataset]} pending" if dataset in pending else "",
            "tables": [f"source.{dataset}"],
        }
        for dataset, contract in contracts.items()
        if contract.capture
    ]


def _boxes(layer: str, rows: list[dict[str, Any]], events: dict[str, int]) -> list[dict[str, Any]]:
    """Return the boxes of a layer: events in the order of their datasets, hubs and links last."""
    single: list[dict[str, Any]] = []
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        name = row["table"].partition("__")[2]
        if layer != "silver" or row["table"] in events:
            single.append(row)
        elif name[:4] in KEY_TABLES:
            kinds.setdefault(KEY_TABLES[name[:4]], []).append(row)
        elif not name.endswith(SUFFIX):
            single.append(row)
    single.sort(key=lambda row: events.get(row["table"], len(events)))
    grouped = [(row["table"].partition("__")[2], row["table"], [row]) for row in single]
    grouped += [
        (f"{len(members)} {kind}", f"{layer}.{kind}", members) for kind, members in kinds.items()
    ]
    return [_box(label, key, members) for label, key, members in grouped]


def _box(label: str, key: str, members: list[dict[str, Any]]) -> dict[str, Any]:
    counted = all(row["rows"] is not None for row in members)
    return {
        "key": key,
        "label": label,
        "value": f"{sum(row['rows'] for row in members):,}" if counted else "?",
        "note": "behind" if any(row["behind"] for row in members) else "",
        "tables": [row["table"] for row in members],
    }
