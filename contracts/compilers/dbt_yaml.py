"""A domain's contracts as dbt YAML: the sources its SQL reads, and the models that have a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.compilers.table_descriptions import by_name
from contracts.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.compilers.table_descriptions import Described, TableDescription
    from contracts.model.contract import Contract
    from contracts.model.rules import Rule

# What a publication skips: the gate has enforced these rules already, row by row.
TAG = "contract"
BATCH_OF_MODEL = "Greatest silver batch the row was derived from."
ALIVE = "_op not in ('d', 't')"
LAYERS = {
    "bronze": "Rows as they came, change by change.",
    "silver": "The vault, loaded by the engine from what each contract declares.",
    "gold": "What dbt publishes.",
    "platinum": "Scores and inferences.",
}


def sources(contracts: Mapping[str, Contract], read: Iterable[str]) -> dict[str, Any]:
    """Return the sources of the tables that a domain's SQL reads, named as `layer.table`.

    Raises:
        ContractError: the SQL reads a table that no contract makes.
    """
    described, wanted = by_name(contracts.values()), sorted(set(read))
    missing = [name for name in wanted if name not in described]
    if missing:
        raise ContractError(
            "\n".join(f"the SQL reads {name}, which no contract makes" for name in missing)
        )
    by_layer: dict[str, list[dict[str, Any]]] = {}
    for name in wanted:
        table = described[name]
        entry = _source(table, contracts[table.dataset], set(wanted))
        by_layer.setdefault(table.layer, []).append(entry)
    layers = [
        {"name": layer, "schema": layer, "description": LAYERS[layer], "tables": tables}
        for layer, tables in by_layer.items()
    ]
    return {"version": 2, "sources": layers}


def _source(table: TableDescription, contract: Contract, read: set[str]) -> dict[str, Any]:
    columns = [_column(column) for column in table.columns]
    if table.kind == "events":
        for entry, column in zip(columns, table.columns, strict=True):
            tests = list(_tests(column, contract, read))
            if tests:
                entry["data_tests"] = tests
    return {
        "name": table.table,
        "description": table.comment,
        "config": {"meta": {"contract": table.file, "version": table.version}},
        "columns": columns,
    }


def _column(column: Described) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": column.name, "data_type": column.type}
    if column.comment:
        entry["description"] = column.comment
    if column.of is not None and column.of.classification:
        entry["config"] = {"meta": {"classification": column.of.classification}}
    return entry


def _tests(column: Described, contract: Contract, read: set[str]) -> Iterable[dict[str, Any]]:
    """Yield the tests of a column of an events table; a delete carries its key only."""
    if column.of is None:
        if column.required:
            yield {"not_null": {"config": {"tags": [TAG]}}}
        hubs = contract.vault.hubs if contract.vault else ()
        for hub in hubs:
            table = f"{contract.domain}__hub_{hub.name}"
            if column.name == f"{hub.name}_hk" and f"silver.{table}" in read:
                to = {"to": f"source('silver', '{table}')", "field": column.name}
                yield {"relationships": {"arguments": to, "config": {"tags": [TAG]}}}
        return
    for rule in contract.rules:
        if rule.column == column.name and rule.check == "required":
            yield {"not_null": {"config": _config(rule)}}
        elif rule.column == column.name and rule.check == "isin":
            values = list(rule.arguments["allowed_values"])
            quote = all(isinstance(value, str) for value in values)
            given = {"values": values, "quote": quote}
            yield {"accepted_values": {"arguments": given, "config": _config(rule)}}


def _config(rule: Rule) -> dict[str, Any]:
    config: dict[str, Any] = {"where": ALIVE, "tags": [TAG]}
    return config | ({"severity": "warn"} if rule.severity == "warning" else {})


def models(contracts: Mapping[str, Contract]) -> dict[str, Any]:
    """Return the dbt models that have a contract of their own: columns, types and the audit."""
    contracted = [_model(contract) for contract in contracts.values() if contract.features]
    return {"version": 2, "models": contracted}


def _model(contract: Contract) -> dict[str, Any]:
    name = f"{contract.domain}__{contract.features['table']}"
    columns = [
        {"name": column.name, "data_type": column.type, "description": column.description}
        for column in contract.columns
    ]
    columns.append({"name": "_batch", "data_type": "bigint", "description": BATCH_OF_MODEL})
    return {
        "name": name,
        "description": contract.description,
        "config": {"meta": {"contract": contract.file, "version": contract.version}},
        "data_tests": [{"audited": {"name": f"{name}__audit", "arguments": _audit(contract)}}],
        "columns": columns,
    }


def _audit(contract: Contract) -> dict[str, Any]:
    """Return the audit of a model's rows: the contract's own rules and those its `audit` adds."""
    features = contract.features
    declared: dict[str, Any] = features.get("audit") or {}
    key = list(declared.get("key") or (*features["entity"], features["timestamp"]))
    required = [
        rule.column
        for rule in contract.rules
        if rule.check == "required" and rule.column not in key
    ]
    audit: dict[str, Any] = {"key": key, "required": required}
    if declared.get("expressions"):
        audit["expressions"] = dict(declared["expressions"])
    if declared.get("references"):
        audit["references"] = [
            {"column": reference["column"], "to": f"{contract.domain}__{reference['to']}"}
            for reference in declared["references"]
        ]
    return audit
