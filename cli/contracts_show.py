"""The verb `contracts show`: one contract, or what it compiles to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, read_settings
from cli.output import emit, table
from lakehouse.formatting import show
from operations.authoring.describe import describe, find_contract, gate_sql

if TYPE_CHECKING:
    from rich.console import Console


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
    contract = find_contract(read_settings(), names)
    found = describe(contract)
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
