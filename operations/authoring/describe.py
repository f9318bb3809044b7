"""The verb `contracts show`: what a contract says, and what it compiles to."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, known_domains, read_settings
from cli.output import emit, show, table

if TYPE_CHECKING:
    from rich.console import Console

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings


def find(settings: Settings, names: list[str]) -> Contract:
    """Return the contract named as `DOMAIN.DATASET` or `DOMAIN DATASET`; raise UsageError for none."""
    from contracts.parsing.load import load_domain
    from lakehouse.errors import UsageError

    domain, _, dataset = " ".join(names).replace(".", " ", 1).partition(" ")
    known = known_domains(settings.contracts)
    if domain not in known:
        raise UsageError(f"no domain '{domain}'; there is: {', '.join(known) or 'none'}")
    contracts = load_domain(settings.contracts, domain)
    if dataset not in contracts:
        what = (
            f"no dataset '{dataset}' in '{domain}'" if dataset else f"which dataset of '{domain}'?"
        )
        raise UsageError(f"{what}; there is: {', '.join(contracts)}")
    return contracts[dataset]


def described(contract: Contract) -> dict[str, Any]:
    """Return everything a contract says, as plain values."""
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
                "promise": rule.promise,
                "severity": rule.severity,
                "description": rule.description,
            }
            for rule in contract.dataset_rules
        ],
        "channels": [f"{each.tool} {each.name}" for each in contract.channels],
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


def command(
    names: Annotated[
        list[str],
        typer.Argument(metavar="DOMAIN.DATASET", help="Or DOMAIN DATASET.", show_default=False),
    ],
    sql: Annotated[bool, typer.Option("--sql", help="The gate, compiled to SQL.")] = False,
    pandera: Annotated[
        bool, typer.Option("--pandera", help="The Pandera schema, as YAML.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a contract: columns, rules, service levels, vault; or what it compiles to."""
    contract = find(read_settings(), names)
    found = described(contract)
    if sql:
        found["sql"] = gate_sql(contract)
    if pandera:
        from contracts.compilers.pandera_schema import pandera_schema

        found["pandera"] = pandera_schema(contract).to_yaml()
    emit(found, json, _compiled if sql or pandera else _described)


def _compiled(out: Console, found: dict[str, Any]) -> None:
    for part in ("sql", "pandera"):
        if part in found:
            print(found[part], file=out.file)


def _described(out: Console, found: dict[str, Any]) -> None:
    out.print(f"[bold]{found['dataset']}[/bold] {found['version']} ({found['status']})")
    out.print(f"{found['description']}\n{found['file']}, owner: {found['owner']}", markup=False)
    columns = ["column", "type", ">key", "rules", "unit", "class", "description"]
    rows = []
    for column in found["columns"]:
        rules = "\n".join(_short(rule) for rule in column["rules"])
        keys = ("name", "type", "key", rules, "unit", "classification", "description")
        rows.append([key if key is rules else column[key] for key in keys])
    out.print(table("", columns, rows))
    for title in ("service_levels", "vault", "features", "score", "enrich"):
        if found.get(title):
            pairs = [f"{key} {show(value)}" for key, value in found[title].items() if value != ""]
            out.print(f"{title.replace('_', ' ')}: {'; '.join(pairs)}", markup=False)
    for rule in found["row_rules"]:
        out.print(f"row rule: {rule['name']}: {rule['sql']}", markup=False)
    for kind in ("unique", "references"):
        for rule in found[kind]:
            to = f" in {rule['dataset']}.{', '.join(rule['to'])}" if "to" in rule else ""
            out.print(
                f"{kind}: {', '.join(rule['columns'])}{to} ({rule['severity']})", markup=False
            )
    for rule in found["dataset_rules"]:
        what = " ".join([rule["metric"], *rule["columns"], rule["promise"]])
        out.print(f"dataset rule: {rule['name']}: {what} ({rule['severity']})", markup=False)
    if found["channels"]:
        out.print(f"owner is told by: {', '.join(found['channels'])}", markup=False)
    for way in found["capture"]:
        out.print(f"capture: {way['method']}, {way['format']}, {way['path']}", markup=False)


def _short(rule: dict[str, Any]) -> str:
    given = ", ".join(show(value) for value in rule["arguments"].values())
    mark = " (warning)" if rule["severity"] == "warning" else ""
    name = "" if rule["name"] == rule["check"] else f"{rule['name']}: "
    return f"{name}{rule['check']}{f'({given})' if given else ''}{mark}"
