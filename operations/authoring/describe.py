"""Describes one contract: its content as plain values, and the texts it compiles to."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.settings import Settings


def find_contract(settings: Settings, names: list[str]) -> Contract:
    """Return the contract named as `DOMAIN.DATASET` or `DOMAIN DATASET`; raise UsageError if none is."""
    from contracts.parsing.load import load_domain
    from lakehouse.errors import UsageError

    domain, _, dataset = " ".join(names).replace(".", " ", 1).partition(" ")
    existing = domains(settings.contracts)
    if domain not in existing:
        raise UsageError(f"no domain '{domain}'; there is: {', '.join(existing) or 'none'}")
    contracts = load_domain(settings.contracts, domain)
    if dataset not in contracts:
        problem = (
            f"no dataset '{dataset}' in '{domain}'" if dataset else f"which dataset of '{domain}'?"
        )
        raise UsageError(f"{problem}; there is: {', '.join(contracts)}")
    return contracts[dataset]


def describe(contract: Contract) -> dict[str, Any]:
    """Return the whole contract as plain values."""
    vault = contract.vault
    return {
        "dataset": f"{contract.domain}.{contract.dataset}",
        "file": contract.file,
        "version": contract.version,
        "status": contract.status,
        "owner": contract.owner,
        "description": contract.description,
        "source_table": contract.source_table,
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "key": column.key or None,
                "required": column.required,
                "unit": column.unit,
                "classification": column.classification,
                "description": column.description,
                "rules": [_rule(rule) for rule in contract.rules if rule.column == column.name],
            }
            for column in contract.columns
        ],
        "row_rules": [asdict(rule) for rule in contract.row_rules],
        "unique": [asdict(rule) for rule in contract.unique],
        "references": [asdict(rule) for rule in contract.references],
        "dataset_rules": [
            {
                "name": rule.label,
                "metric": rule.metric,
                "columns": list(rule.columns),
                "promise": rule.requirement,
                "severity": rule.severity,
                "description": rule.description,
            }
            for rule in contract.dataset_rules
        ],
        "channels": [f"{channel.tool} {channel.name}" for channel in contract.channels],
        "service_levels": {
            name: " ".join(str(item[part]) for part in ("value", "unit") if part in item)
            for name, item in contract.service_levels.items()
        },
        "capture": [
            {"method": way.method, "format": way.format, "path": way.path, "order": way.order}
            for way in contract.capture
        ],
        "vault": vault
        and {
            "hubs": {hub.name: list(hub.columns) for hub in vault.hubs},
            "link": vault.link,
            "dependent": list(vault.dependent),
            "historized": vault.historized,
            "satellite": vault.satellite,
            "events": vault.events,
        },
        **{
            name: value
            for name, value in (
                ("features", contract.features),
                ("score", contract.score),
                ("enrich", contract.enrich),
            )
            if value
        },
    }


def _rule(rule: Any) -> dict[str, Any]:
    return {
        "check": rule.check,
        "arguments": rule.arguments,
        "severity": rule.severity,
        "name": rule.label,
        "description": rule.description,
    }


def gate_sql(contract: Contract) -> str:
    """Return the gate as it runs: null for a good row, the array of its failures for a bad one."""
    import sqlglot

    from contracts.compilers import gate

    parts = [f"{gate.cleansed(column)} as {column.name}" for column in contract.columns]
    text = f"select {', '.join(parts)}, {gate.good(contract)} as _good, "
    text += f"{gate.failures(contract)} as _failures, "
    text += f"{gate.flags(contract)} as _flags from bronze.{contract.domain}__{contract.dataset}"
    return sqlglot.transpile(text, read="spark", write="spark", pretty=True)[0]


def pandera_yaml(contract: Contract) -> str:
    """Return the Pandera schema as YAML."""
    from contracts.compilers.pandera_schema import pandera_schema

    text = pandera_schema(contract).to_yaml()
    assert text is not None
    return text


def delta_ddl(contract: Contract) -> str:
    """Return the statements that create the contract's tables, with comments and constraints."""
    from contracts.compilers.ddl import ddl

    return ddl(contract)


def suite_json(contract: Contract) -> str:
    """Return the suite of Great Expectations as JSON."""
    import json

    from contracts.compilers.expectation_suite import suite_document

    return json.dumps(suite_document(contract), indent=2, ensure_ascii=False, default=str)


# What `contracts show` prints of a contract, by option
COMPILERS = {"sql": gate_sql, "pandera": pandera_yaml, "ddl": delta_ddl, "suite": suite_json}
