"""What the catalog says, as plain values: from contracts, the YAML of gold, and tables where there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from contracts.checks.registry import CHECKS
from contracts.model.contract import is_personal
from contracts.parsing.domains import domains
from operations.authoring.derive import MODELS, SOURCES
from operations.lineage import Edge, edges
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

    now = status(settings, domain)
    standing = {one["domain"]: one for one in now["domains"]}
    entries: list[dict[str, Any]] = []
    for name in [domain] if domain else domains(settings.contracts):
        contracts = load_domain(settings.contracts, name)
        tables = {row["table"]: row for row in standing.get(name, {}).get("tables", ())}
        found = edges(settings, name, contracts)
        published = (standing.get(name, {}).get("published") or {}).get("versions", {})
        entries += [_of_contract(each, tables, published, found) for each in contracts.values()]
        entries += _of_models(settings, name, contracts, tables, published, found)
    entries.sort(key=lambda entry: (entry["domain"], KINDS.index(entry["kind"]), entry["name"]))
    return {
        "at": now["at"],
        "home": now["home"],
        "code_version": now["code_version"],
        "entries": entries,
        "domains": sorted({entry["domain"] for entry in entries}),
    }


def _of_contract(
    contract: Contract,
    tables: Mapping[str, dict[str, Any]],
    published: Mapping[str, int],
    found: set[Edge],
) -> dict[str, Any]:
    from contracts.compilers.table_descriptions import tables as described

    made = [(table.name, table.kind, table.comment) for table in described(contract)]
    own = [name for name, kind, _ in made if kind in ("bronze", "events", "score", "inference")]
    if not made:
        own = [_table_of(contract)]
        made = [(own[0], _kind(contract), contract.description)]
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
        "tables": [_standing(*each, tables.get(each[0]), published) for each in made],
        "lineage": picture(found, own, tables),
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


def _of_models(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    tables: Mapping[str, dict[str, Any]],
    published: Mapping[str, int],
    found: set[Edge],
) -> Iterator[dict[str, Any]]:
    """Yield one entry a gold model that has no contract of its own."""
    folder = settings.dbt_project / "models" / domain
    personal = {
        column.name: column.classification
        for each in contracts.values()
        for column in each.columns
        if column.classification
    }
    known = {_table_of(each) for each in contracts.values() if each.features}
    for file in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        if file.name in (SOURCES, MODELS):
            continue
        for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models") or ():
            name, table = model["name"].partition("__")[2], f"gold.{model['name']}"
            columns = [_model_column(column, personal) for column in model.get("columns") or ()]
            if table in known:
                continue
            made = (table, "gold table", model.get("description", ""))
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
                "tables": [_standing(*made, tables.get(table), published)],
                "lineage": picture(found, [table], tables),
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
    """Return a column of a gold table; one named as a classified column of a contract is that, too."""
    told = ((column.get("config") or {}).get("meta") or {}).get("classification", "")
    return {
        "name": column["name"],
        "type": column.get("data_type", ""),
        "key": 0,
        "required": False,
        "unit": "",
        "classification": told or personal.get(column["name"], ""),
        "description": (column.get("description") or "").strip(),
        "rules": [],
    }


def _standing(
    name: str, kind: str, comment: str, row: dict[str, Any] | None, published: Mapping[str, int]
) -> dict[str, Any]:
    """Return how a table stands, without figures where it is not there or is a view."""
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
