"""Loads contracts: YAML in, frozen values out, every problem with its file and line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from contracts.errors import ContractError
from contracts.model.contract import UNITS, Capture, Channel, Column, Contract, Hub, Vault
from contracts.parsing import custom_properties, document
from contracts.parsing.column_rules import rules_of
from contracts.parsing.columns import column_of, declared_as
from contracts.parsing.cross_contract import disagreements
from contracts.parsing.dataset_rules import dataset_rules_of
from contracts.parsing.document import items_at, mapping_at
from contracts.parsing.domains import domains
from contracts.parsing.table_rules import (
    references_of,
    references_that_fail,
    row_rules_of,
    unique_of,
)

if TYPE_CHECKING:
    from contracts.parsing.document import Document

FOLDER = Path(__file__).parent.parent
SEMVER = re.compile(r"^\d+\.\d+\.\d+$")


def load_domain(folder: Path, domain: str) -> dict[str, Contract]:
    """Return the contracts of a domain by dataset; raise ContractError naming every problem."""
    files = sorted((folder / domain).glob("*.yaml"))
    if not files:
        existing = ", ".join(domains(folder)) or "none"
        raise ContractError(
            f"domain '{domain}' has no contracts in {folder.name}/; there is: {existing}"
        )
    contracts: dict[str, Contract] = {}
    problems: list[str] = []
    for file in files:
        try:
            contract = load_file(file, domain)
        except ContractError as error:
            problems.append(str(error))
            continue
        if contract.dataset in contracts:
            problems.append(
                f"{contract.file}:1: '{contract.dataset}' has a contract already: "
                f"{contracts[contract.dataset].file}"
            )
        contracts[contract.dataset] = contract
    problems += disagreements(contracts.values())
    problems += references_that_fail(contracts) if not problems else []
    if problems:
        raise ContractError("\n".join(problems))
    return contracts


def load(domain: str, dataset: str, folder: Path | None = None) -> Contract:
    """Return one contract by name, from the project's own contracts or from `folder`.

    For a notebook or a producer's test: `contracts.pandera(contracts.load("shop", "orders")).validate(frame)`.

    Raises:
        ContractError: there is none of that name, or a contract of the domain has a mistake.
    """
    contracts = load_domain(folder or FOLDER, domain)
    if dataset not in contracts:
        raise ContractError(
            f"no dataset '{dataset}' in '{domain}'; there is: {', '.join(contracts)}"
        )
    return contracts[dataset]


def load_file(path: Path, domain: str) -> Contract:
    """Return one file's contract."""
    source = document.read(path)
    data = source.data
    if not SEMVER.match(str(data["version"])):
        raise source.error(["version"], f"version '{data['version']}' is no major.minor.patch")
    if data.get("domain") not in (None, domain):
        raise source.error(
            ["domain"], f"domain '{data['domain']}' lies in the folder of '{domain}'"
        )
    if len(data.get("schema") or []) != 1:
        raise source.error(["schema"], "exactly one dataset a contract")
    return _contract(source, domain)


def _contract(source: Document, domain: str) -> Contract:
    data, table = source.data, source.data["schema"][0]
    columns = tuple(
        column_of(source, index, raw) for index, raw in enumerate(items_at(table, "properties"))
    )
    declared = _declared(source)
    parts = {
        name: declared_as(source, kind, *declared[name])
        for name, kind in custom_properties.DECLARATIONS.items()
        if name in declared
    }
    return Contract(
        domain=domain,
        dataset=table["name"],
        version=data["version"],
        status=data["status"],
        description=str(mapping_at(data, "description").get("purpose") or "").strip(),
        owner=_owner(data),
        columns=columns,
        rules=rules_of(source, columns, domain),
        row_rules=row_rules_of(source, columns),
        unique=unique_of(source, columns),
        references=references_of(source, columns),
        capture=_captures(source, *declared.get("capture", ([], []))),
        vault=_vault(source, parts.get("vault"), declared.get("vault", ([], []))[1], columns),
        features=parts["features"].model_dump() if "features" in parts else {},
        score=parts["score"].model_dump() if "score" in parts else {},
        enrich=parts["enrich"].model_dump() if "enrich" in parts else {},
        service_levels=_service_levels(source),
        dataset_rules=dataset_rules_of(source, columns),
        channels=_channels(data),
        source_table=table.get("physicalName") or table["name"],
        file=source.file,
        version_line=source.line(["version"]),
    )


def _declared(source: Document) -> dict[str, tuple[Any, list[str | int]]]:
    """Return (value, path) of each custom property by name; raise ContractError for an unknown one."""
    declared: dict[str, tuple[Any, list[str | int]]] = {}
    for index, item in enumerate(items_at(source.data, "customProperties")):
        name = item["property"]
        if name not in ("capture", *custom_properties.DECLARATIONS):
            raise source.error(["customProperties", index], f"unknown property '{name}'")
        declared[name] = (item["value"], ["customProperties", index, "value"])
    return declared


def _service_levels(source: Document) -> dict[str, Any]:
    levels = items_at(source.data, "slaProperties")
    for index, level in enumerate(levels):
        unit = level.get("unit")
        if unit and unit not in UNITS:
            allowed = ", ".join(UNITS)
            message = f"'{level['property']}' has the unit '{unit}', which is none of {allowed}"
            raise source.error(["slaProperties", index], message)
    return {level["property"]: level for level in levels}


def _owner(data: dict[str, Any]) -> str:
    # An older shape of the standard lists the members, without a name of the team.
    return mapping_at(data, "team").get("name", "") if isinstance(data.get("team"), dict) else ""


def _channels(data: dict[str, Any]) -> tuple[Channel, ...]:
    """Return where the owner gets alerts: the `support` items, an address from `mailto:` without it."""
    return tuple(
        Channel(
            item.get("tool") or ("email" if item.get("url", "").startswith("mailto:") else "other"),
            item["channel"],
            item.get("url", "").removeprefix("mailto:"),
        )
        for item in items_at(data, "support")
    )


def _captures(source: Document, raw: Any, path: list[str | int]) -> tuple[Capture, ...]:
    if not isinstance(raw, list):
        raise source.error(path, "capture is a list, one item a way of arrival")
    kind = custom_properties.CaptureDeclaration
    ways = cast("list[Any]", raw)
    declared = [declared_as(source, kind, way, [*path, index]) for index, way in enumerate(ways)]
    return tuple(Capture(**way.model_dump()) for way in declared)


def _vault(
    source: Document,
    declared: custom_properties.VaultDeclaration | None,
    path: list[str | int],
    columns: tuple[Column, ...],
) -> Vault | None:
    if declared is None:
        return None
    link = declared.link
    names, keyed = {column.name for column in columns}, any(column.key for column in columns)
    if keyed and not declared.hubs:
        raise source.error(path, "vault.hubs is missing: the hub of the primary key at least")
    if declared.hubs and not keyed:
        raise source.error(path, "vault.hubs needs a primary key; without one, name no hub")
    hubs = [
        Hub(name, tuple(keys.values()), tuple(keys))
        if isinstance(keys, dict)
        else Hub(name, keys, keys)
        for name, keys in declared.hubs.items()
    ]
    used = [name for hub in hubs for name in hub.columns]
    for name in [*used, *(link.dependent if link else ())]:
        if name not in names:
            raise source.error(path, f"vault names the column '{name}', which is not there")
    return Vault(
        hubs=tuple(hubs),
        link=link.name if link else "",
        dependent=link.dependent if link else (),
        satellite=declared.satellite,
        historized=link.historized if link else True,
    )
