"""The way of the rows as a picture's parts: a column a layer, a box a table, an edge an upstream."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lakehouse.layers import LAYERS
from operations.lineage import drawn, edges
from operations.quarantine import SUFFIX

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

# Hubs and links hold keys alone: one box a kind keeps the picture readable.
KINDS = {"hub_": "hubs", "lnk_": "links"}


def flow(
    settings: Settings, domain: str, contracts: dict[str, Contract], one: dict[str, Any]
) -> dict[str, Any]:
    """Return `columns` of boxes (key, label, value, note, tables) and `edges` between their keys."""
    events = {
        f"silver.{domain}__{contract.vault.events}": place
        for place, contract in enumerate(contracts.values())
        if contract.vault
    }
    columns = [{"layer": "source", "boxes": _sources(settings, domain, contracts, one)}]
    for layer in LAYERS:
        rows = [row for row in one["tables"] if row["layer"] == layer]
        columns.append({"layer": layer, "boxes": _boxes(layer, rows, events)})
    groups = {
        table: box["key"]
        for column in columns
        for box in column["boxes"]
        for table in box["tables"]
    }
    return {"columns": columns, "edges": drawn(edges(settings, domain, contracts), groups)}


def _sources(
    settings: Settings, domain: str, contracts: dict[str, Contract], one: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return one box a captured dataset: how many files were taken, how many wait."""
    from bronze.discovery import FileLog
    from lakehouse.storage.tables import Tables

    log = FileLog(Tables.at(settings), domain)
    paths = {(entry.dataset, entry.path) for entry in log.entries if entry.status == "planned"}
    taken = Counter(dataset for dataset, _ in paths)
    waiting = {item["dataset"]: item["files"] for item in one["waiting"]}
    return [
        {
            "key": f"source.{dataset}",
            "label": dataset,
            "value": f"{taken[dataset]} file{'' if taken[dataset] == 1 else 's'}",
            "note": f"{waiting[dataset]} waiting" if dataset in waiting else "",
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
        elif name[:4] in KINDS:
            kinds.setdefault(KINDS[name[:4]], []).append(row)
        elif not name.endswith(SUFFIX):
            single.append(row)
    single.sort(key=lambda row: events.get(row["table"], len(events)))
    grouped = [(row["table"].partition("__")[2], row["table"], [row]) for row in single]
    grouped += [
        (f"{len(members)} {kind}", f"{layer}.{kind}", members) for kind, members in kinds.items()
    ]
    return [_box(label, key, members) for label, key, members in grouped]


def _box(label: str, key: str, members: list[dict[str, Any]]) -> dict[str, Any]:
    known = all(row["rows"] is not None for row in members)
    return {
        "key": key,
        "label": label,
        "value": f"{sum(row['rows'] for row in members):,}" if known else "?",
        "note": "behind" if any(row["behind"] for row in members) else "",
        "tables": [row["table"] for row in members],
    }
