"""A contract's version only goes forward: what the ledger recorded against what the file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.errors import ContractError
from contracts.evolution.diff import numbers_of
from lakehouse.runs.ledger import ROLLED_BACK, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model.contract import Contract
    from lakehouse.storage.tables import Tables


def recorded(tables: Tables, domain: str) -> dict[str, str]:
    """Return, by dataset, the contract version of the last step that loaded it, in runs not rolled back."""
    ledger = Ledger(tables)
    rolled_back = {row["run"] for row in ledger.runs(domain) if row["status"] == ROLLED_BACK}
    versions: dict[str, str] = {}
    for step in ledger.steps(domain):
        table = {"bronze": step["table"], "silver": step["upstream"]}.get(step["layer"], "")
        if step["contract_version"] and table and step["run"] not in rolled_back:
            versions[table.partition("__")[2]] = step["contract_version"]
    return versions


def refuse_older(tables: Tables, domain: str, contracts: Mapping[str, Contract]) -> None:
    """Raise ContractError for each contract whose version is lower than that of the last load."""
    problems = [
        f"{contracts[dataset].file}:{contracts[dataset].version_line}: version "
        f"{contracts[dataset].version} is older than {version}, under which '{dataset}' was loaded "
        "last; give the file a higher version, or roll that run back"
        for dataset, version in recorded(tables, domain).items()
        if dataset in contracts and numbers_of(contracts[dataset].version) < numbers_of(version)
    ]
    if problems:
        raise ContractError("\n".join(problems))
