"""The catalog's entries as plain values: from contracts, the YAML of gold, and tables where there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from contracts.checks.registry import CHECKS
from contracts.model.contract import is_personal
from contracts.parsing.domains import domains
from operations.authoring.derive import MODELS, SOURCES
from operations.lineage import Edge, table_edges
from operations.status import status
from pages.catalog.lineage_picture import picture
from pages.catalog.queries import of_contract, of_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.model.contract import Contract
    from contracts.model.rules import Rule
    from lakehouse.settings import Settings

KINDS = ("source dataset", "feature set", "score", "inference", "gold table")


def collect(settings: Settings, domain: str = "") -> dict[str, Any]:
    """Return the entries of one domain or of all, by domain and kind; raise ContractError."""
    from contracts.parsing.load import load_domain

    lakehouse = status(settings, domain)
    statuses = {row["domain"]: row for row in lakehouse["domains"]}
    entries: list[dict[str, Any]] = []
    for name in [domain] if domain else domains(settings.contracts):
        contracts = load_domain(settings.contracts, name)
        tables = {row["table"]: row for row in statuses.get(name, {}).get("tables", ())}
        edges = table_edges(settings, name, contracts)
        published = (statuses.get(name, {}).get("published") or {}).get("versions", {})
        entries += [
            _contract_entry(contract, tables, published, edges) for contract in contracts.values()
        ]
        entries += _model_entries(settings, name, contracts, tables, published, edges)
    entries.sort(key=lambda entry: (entry["domain"], KINDS.index(entry["kind"]), entry["name"]))
    return {
        "at": lakehouse["at"],
        "home": lakehouse["home"],
        "code_version": lakehouse["code_version"],
        "entries": entries,
        "domains": sorted({entry["domain"] for entry in entries}),
    }


def _contract_entry(
    contract: Contract,
    tables: Mapping[str, dict[str, Any]],
    published: Mapping[str, int],
    edges: set[Edge],
) -> dict[str, Any]:
    from contracts.compilers.table_descriptions import tables as descriptions

    described = [(table.name, table.kind, table.comment) for table in descriptions(contract)]
    own = [
        name for name, kind, _ in described if kind in ("bronze", "events", "score", "inference")
    ]
    if not described:
        own = [_table_of(contract)]
        described = [(own[0], _kind(contract), contract.description)]
    return {
        "id": f"{contract.domain}.{contract.dataset}",
        "domain": contract.domain,
        "name": contract.dataset,
        "kind": _kind(contract),
        "description": contract.description,
        "owner": contract.owner,
        "version": contract.version,
        "status": contract.status,
        "file": f"contracts/{contract.file}",
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "key": column.key,
                "required": column.required,
                "unit": column.unit,
                "classification": column.classification,
                "description": column.description,
                "rules": [
                    _rule(rule)
                    for rule in contract.rules
                    if rule.column == column.name and rule.check != "required"
                ],
            }
            for column in contract.columns
        ],
        "levels": {
            name: " ".join(str(item[part]) for part in ("value", "unit") if part in item)
            for name, item in contract.service_levels.items()
        },
        "tables": [_table_status(*table, tables.get(table[0]), published) for table in described],
        "lineage": picture(edges, own, tables),
        "queries": of_contract(contract),
    }


def _kind(contract: Contract) -> str:
    if contract.features:
        return "feature set"
    if contract.score:
        return "score"
    return "inference" if contract.enrich else "source dataset"


def _table_of(contract: Contract) -> str:
    declared = contract.features or contract.score or contract.enrich
    layer = "gold" if contract.features else "platinum"
    return f"{layer}.{contract.domain}__{declared.get('table') or contract.dataset}"


def _rule(rule: Rule) -> dict[str, str]:
    given = {name: _short(value) for name, value in rule.arguments.items()}
    words = CHECKS[rule.check].words if rule.check in CHECKS else ""
    listed = ", ".join(f"{name} {value}" for name, value in given.items())
    text = words.format_map(given) if words else f"{rule.check}({listed})"
    return {"text": text, "severity": rule.severity, "description": rule.description}


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _model_entries(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    tables: Mapping[str, dict[str, Any]],
    published: Mapping[str, int],
    edges: set[Edge],
) -> Iterator[dict[str, Any]]:
    """Yield an entry for every gold model without a contract of its own."""
    folder = settings.dbt_project / "models" / domain
    personal = {
        column.name: column.classification
        for contract in contracts.values()
        for column in contract.columns
        if column.classification
    }
    feature_tables = {_table_of(contract) for contract in contracts.values() if contract.features}
    for file in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        if file.name in (SOURCES, MODELS):
            continue
        for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models") or ():
            name, table = model["name"].partition("__")[2], f"gold.{model['name']}"
            columns = [_model_column(column, personal) for column in model.get("columns") or ()]
            if table in feature_tables:
                continue
            described = (table, "gold table", model.get("description", ""))
            yield {
                "id": f"{domain}.{name}",
                "domain": domain,
                "name": name,
                "kind": "gold table",
                "description": (model.get("description") or "").strip(),
                "owner": ((model.get("config") or {}).get("meta") or {}).get("owner", ""),
                "version": "",
                "status": "",
                "file": f"dbt_project/models/{domain}/{file.name}",
                "columns": columns,
                "levels": {},
                "tables": [_table_status(*described, tables.get(table), published)],
                "lineage": picture(edges, [table], tables),
                "queries": of_model(
                    table,
                    [
                        column["name"]
                        for column in columns
                        if not is_personal(column["classification"]) and column["type"] != "binary"
                    ],
                ),
            }


def _model_column(column: dict[str, Any], personal: Mapping[str, str]) -> dict[str, Any]:
    """Return a column of a gold table, classified as the contract's column of that name is."""
    declared = ((column.get("config") or {}).get("meta") or {}).get("classification", "")
    return {
        "name": column["name"],
        "type": column.get("data_type", ""),
        "key": 0,
        "required": False,
        "unit": "",
        "classification": declared or personal.get(column["name"], ""),
        "description": (column.get("description") or "").strip(),
        "rules": [],
    }


def _table_status(
    name: str, kind: str, comment: str, row: dict[str, Any] | None, published: Mapping[str, int]
) -> dict[str, Any]:
    """Return a table's status, without figures where it does not exist or is a view."""
    row = row or {}
    return {
        "name": name,
        "kind": kind,
        "comment": comment,
        "rows": row.get("rows"),
        "version": published.get(name, row.get("version")),
        "committed_at": row.get("committed_at"),
        "age_seconds": row.get("age_seconds"),
        "bytes": row.get("bytes"),
        "open": row.get("open_quarantine"),
        "behind": bool(row.get("behind")),
    }
