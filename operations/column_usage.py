"""The consumers of a dataset's columns: models of gold, feature sets, scores, inference jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.compilers.table_descriptions import tables
from contracts.parsing import document
from contracts.parsing.load import load_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

ColumnUse = dict[str, Any]
CONSUMERS = {"score": "score", "enrich": "inference job", "features": "feature set"}


def column_uses(
    settings: Settings, domain: str, dataset: str, columns: set[str]
) -> list[ColumnUse]:
    """Return every place that names one of the columns: consumer, file, line and position.

    Models come from column lineage (`gold.lineage`), the others from what contracts declare.
    """
    from gold.lineage import uses as model_uses

    contracts = load_domain(settings.contracts, domain)
    contract = contracts.get(dataset)
    if contract is None:
        return []
    places = [
        {
            "dataset": dataset,
            "consumer": f"model {use.model}",
            "file": f"{settings.dbt_project.name}/{use.file}",
            "line": use.line,
            "position": use.position,
            "column": use.column,
        }
        for use in model_uses(settings, domain, _silver_tables(contract), columns)
    ]
    for other in contracts.values():
        for name, path, column in _declared_columns(other, dataset):
            if column in columns:
                file = settings.contracts / domain / other.file.rpartition("/")[2]
                places.append(
                    {
                        "dataset": dataset,
                        "consumer": f"{CONSUMERS[name]} {other.dataset}",
                        "file": other.file,
                        "line": _line(document.read(file), name, path),
                        "position": 1,
                        "column": column,
                    }
                )
    return places


def _line(read: document.Document, name: str, path: list[str | int]) -> int:
    properties = [item["property"] for item in read.data["customProperties"]]
    return read.line(["customProperties", properties.index(name), "value", *path])


def _silver_tables(contract: Contract) -> list[str]:
    """Return the tables and views of silver with a dataset's columns."""
    return [
        table.table
        for table in tables(contract)
        if table.layer == "silver" and table.kind != "quarantine"
    ]


def _declared_columns(
    contract: Contract, dataset: str
) -> Iterator[tuple[str, list[str | int], str]]:
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
