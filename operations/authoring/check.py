"""Checks contract files: schema, types, rules, vault, and versions that may not go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.settings import Settings


def check(settings: Settings, domain: str = "") -> list[dict[str, Any]]:
    """Return one row a contract file; raise ContractError with every problem of every file."""
    from contracts.errors import ContractError
    from contracts.parsing.load import load_domain
    from lakehouse.runs.contract_versions import refuse_older
    from lakehouse.storage.tables import Tables

    rows, problems = [], []
    for name in [domain] if domain else domains(settings.contracts):
        try:
            contracts = load_domain(settings.contracts, name)
            refuse_older(Tables.at(settings), name, contracts)
        except ContractError as error:
            problems.append(str(error))
            continue
        rows += [_counts(contract) for contract in contracts.values()]
    if problems:
        raise ContractError("\n".join(problems))
    return rows


def _counts(contract: Contract) -> dict[str, Any]:
    table_rules = (
        *contract.row_rules,
        *contract.unique,
        *contract.references,
        *contract.dataset_rules,
    )
    rules = (*contract.rules, *table_rules)
    warnings = sum(rule.severity == "warning" for rule in rules)
    return {
        "file": contract.file,
        "dataset": f"{contract.domain}.{contract.dataset}",
        "version": contract.version,
        "status": contract.status,
        "owner": contract.owner,
        "columns": len(contract.columns),
        "rules": len(rules) - warnings,
        "warnings": warnings,
        "capture": sorted({way.method for way in contract.capture}),
        "vault": contract.vault.events if contract.vault else "",
    }
