"""Which table is made from which: as the contracts, the SQL of gold and the ledger say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contracts.compilers.vault_sql import views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

_SOURCE = re.compile(r"\bsource\(\s*'(\w+)'\s*,\s*'(\w+)'\s*\)")
_REF = re.compile(r"\bref\(\s*'(\w+)'\s*\)")

Edge = tuple[str, str]


def edges(settings: Settings, domain: str, contracts: dict[str, Contract]) -> set[Edge]:
    """Return (upstream, table) for every table of a domain, a view counted as what it reads."""
    stored = {
        f"silver.{view}": needed for view, (_, needed) in views(contracts.values(), domain).items()
    }
    found = set()
    for upstream, table in (*_declared(domain, contracts), *_modelled(settings, domain)):
        for base in _bases(upstream, stored):
            found.add((base, table))
    return found


def _bases(name: str, stored: dict[str, list[str]]) -> list[str]:
    """Return the tables behind a view, through views it reads; a table is its own base."""
    if name not in stored:
        return [name]
    return [base for needed in stored[name] for base in _bases(f"silver.{needed}", stored)]


def _declared(domain: str, contracts: dict[str, Contract]) -> Iterator[Edge]:
    for dataset, contract in contracts.items():
        bronze = f"bronze.{domain}__{dataset}"
        if contract.capture:
            yield f"source.{dataset}", bronze
        if contract.vault:
            yield bronze, f"silver.{domain}__{contract.vault.events}"
            for hub in contract.vault.hubs:
                yield bronze, f"silver.{domain}__hub_{hub.name}"
            if contract.vault.link:
                yield bronze, f"silver.{domain}__lnk_{contract.vault.link}"
        if contract.score:
            score = contract.score
            table = _platinum(domain, score["table"])
            yield f"bronze.{domain}__{score['events']['dataset']}", table
            yield _gold(domain, score["context"]["table"]), table
        if contract.enrich:
            yield (
                _gold(domain, contract.enrich["source"]),
                _platinum(domain, contract.enrich["table"]),
            )


def _gold(domain: str, name: str) -> str:
    return _full("gold", domain, name)


def _platinum(domain: str, name: str) -> str:
    return _full("platinum", domain, name)


def _full(layer: str, domain: str, name: str) -> str:
    """Return a table's full name; a contract may leave out the layer, or the domain too."""
    named, _, table = name.rpartition(".")
    return f"{named or layer}.{table if '__' in table else f'{domain}__{table}'}"


def _modelled(settings: Settings, domain: str) -> Iterator[Edge]:
    folder = settings.dbt_project / "models" / domain
    for path in sorted(folder.rglob("*.sql")):
        text, table = path.read_text(encoding="utf-8"), f"gold.{path.stem}"
        for layer, name in _SOURCE.findall(text):
            yield f"{layer}.{name}", table
        for name in _REF.findall(text):
            yield f"gold.{name}", table


def drawn(found: set[Edge], groups: dict[str, str]) -> list[Edge]:
    """Return the edges between boxes, once each, with a table's box for the table."""
    boxes: set[Any] = {(groups.get(a), groups.get(b)) for a, b in found}
    return sorted((a, b) for a, b in boxes if a and b and a != b and not _within(a, b))


def _within(a: str, b: str) -> bool:
    """Return whether both stand in one column, where a line would only be in the way."""
    return a.partition(".")[0] == b.partition(".")[0]
