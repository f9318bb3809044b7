"""Who uses a dataset's columns: models of gold, feature sets, scores, inference jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.parsing import document
from contracts.parsing.load import load_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

Found = dict[str, Any]
KINDS = {"score": "score", "enrich": "inference job", "features": "feature set"}


def uses(settings: Settings, domain: str, dataset: str, columns: set[str]) -> list[Found]:
    """Return each place that names one of a dataset's columns: file, line, position, consumer."""
    from gold.lineage import uses as in_models

    contracts = load_domain(settings.contracts, domain)
    contract = contracts.get(dataset)
    if contract is None:
        return []
    found = [
        {
            "dataset": dataset,
            "consumer": f"model {use.model}",
            "file": f"{settings.dbt_project.name}/{use.file}",
            "line": use.line,
            "position": use.position,
            "column": use.column,
        }
        for use in in_models(settings, domain, _tables(contract), columns)
    ]
    for other in contracts.values():
        for name, path, column in _declared(other, dataset):
            if column in columns:
                file = settings.contracts / domain / other.file.rpartition("/")[2]
                found.append(
                    {
                        "dataset": dataset,
                        "consumer": f"{KINDS[name]} {other.dataset}",
                        "file": other.file,
                        "line": _line(document.read(file), name, path),
                        "position": 1,
                        "column": column,
                    }
                )
    return found


def _line(read: document.Document, name: str, path: list[str | int]) -> int:
    properties = [item["property"] for item in read.data["customProperties"]]
    return read.line(["customProperties", properties.index(name), "value", *path])


def _tables(contract: Contract) -> list[str]:
    """Return the tables and views of silver that hold a dataset's columns."""
    if contract.vault is None:
        return []
    events = f"{contract.domain}__{contract.vault.events}"
    hubs = [f"{contract.domain}__hub_{hub.name}" for hub in contract.vault.hubs]
    link = [f"{contract.domain}__lnk_{contract.vault.link}"] if contract.vault.link else []
    return [events, f"{events}_history", f"{events}_current", *hubs, *link]


def _declared(contract: Contract, dataset: str) -> Iterator[tuple[str, list[str | int], str]]:
    """Yield (property, place in it, column) for each column of a dataset that a contract names."""
    if contract.score:
        for place, column in enumerate(contract.score["features"].get(dataset) or ()):
            yield "score", ["features", dataset, place], column
        if contract.score["events"]["dataset"] == dataset:
            events = contract.score["events"]
            for part in ("key", "timestamp"):
                yield "score", ["events", part], events[part]
            for place, column in enumerate(events["entity"]):
                yield "score", ["events", "entity", place], column
    if contract.enrich and contract.enrich["source"] == dataset:
        for place, column in enumerate(contract.enrich["text"]):
            yield "enrich", ["text", place], column
    if contract.features and contract.dataset == dataset:
        features = contract.features
        yield "features", ["timestamp"], features["timestamp"]
        for place, column in enumerate(features["entity"]):
            yield "features", ["entity", place], column
