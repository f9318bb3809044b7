"""What the contracts of a domain must agree on: which table belongs to which contract, and the names of a hub's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from contracts.model.contract import Contract


def disagreements(contracts: Collection[Contract]) -> list[str]:
    """Return a problem, with its file and line, for each thing on which two contracts differ."""
    return [*_tables_of_two(contracts), *_hubs_that_differ(contracts)]


def _tables_of_two(contracts: Iterable[Contract]) -> list[str]:
    """Return a problem for each contract whose events would go into another's table."""
    owners: dict[str, str] = {}
    problems: list[str] = []
    for contract in contracts:
        if contract.vault is not None:
            file = owners.setdefault(contract.vault.events, contract.file)
            if file != contract.file:
                problems.append(
                    f"{contract.file}:1: the table '{contract.vault.events}' has a contract already: "
                    f"{file}; give its satellite or link another name"
                )
    return problems


def _hubs_that_differ(contracts: Iterable[Contract]) -> list[str]:
    """Return a problem for each dataset that names a hub's key otherwise than one before it."""
    keys: dict[str, tuple[tuple[str, ...], str]] = {}
    problems: list[str] = []
    for contract in contracts:
        for hub in contract.vault.hubs if contract.vault else ():
            members, file = keys.setdefault(hub.name, (hub.members, contract.file))
            if members != hub.members:
                problems.append(
                    f"{contract.file}:1: the hub '{hub.name}' has the key {list(hub.members)} here and "
                    f"{list(members)} in {file}; write `{hub.name}: {{<hub's column>: <ours>}}`"
                )
    return problems
