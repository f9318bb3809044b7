"""The verb `contracts show`: one contract, or what it compiles to: SQL, DDL, schema, suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.output import emit, table
from lakehouse.formatting import show
from operations.authoring.describe import COMPILERS, describe, find_contract

if TYPE_CHECKING:
    from rich.console import Console


def _show(
    names: Annotated[
        list[str],
        typer.Argument(metavar="DOMAIN.DATASET", help="Or DOMAIN DATASET.", show_default=False),
    ],
    sql: Annotated[bool, typer.Option("--sql", help="The gate, compiled to SQL.")] = False,
    pandera: Annotated[
        bool, typer.Option("--pandera", help="The Pandera schema, as YAML.")
    ] = False,
    ddl: Annotated[
        bool, typer.Option("--ddl", help="The Delta DDL of its tables in bronze and silver.")
    ] = False,
    suite: Annotated[
        bool, typer.Option("--suite", help="The suite of Great Expectations, as JSON.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a contract: columns, rules, service levels, vault; or what it compiles to."""
    contract = find_contract(read_settings(), names)
    given = {"sql": sql, "pandera": pandera, "ddl": ddl, "suite": suite}
    chosen = [name for name, is_given in given.items() if is_given]
    texts = {name: COMPILERS[name](contract) for name in chosen}
    emit(describe(contract) | texts, json, _compiled if chosen else _described)


def _compiled(out: Console, result: dict[str, Any]) -> None:
    for name in COMPILERS:
        if name in result:
            print(result[name], file=out.file)


def _described(out: Console, result: dict[str, Any]) -> None:
    out.print(f"[bold]{result['dataset']}[/bold] {result['version']} ({result['status']})")
    out.print(f"{result['description']}\n{result['file']}, owner: {result['owner']}", markup=False)
    columns = ["column", "type", ">key", "rules", "unit", "class", "description"]
    rows = []
    for column in result["columns"]:
        rules = "\n".join(_short(rule) for rule in column["rules"])
        keys = ("name", "type", "key", rules, "unit", "classification", "description")
        rows.append([key if key is rules else column[key] for key in keys])
    out.print(table("", columns, rows))
    for title in ("service_levels", "vault", "features", "score", "enrich"):
        if result.get(title):
            pairs = [f"{key} {show(value)}" for key, value in result[title].items() if value != ""]
            out.print(f"{title.replace('_', ' ')}: {'; '.join(pairs)}", markup=False)
    for rule in result["row_rules"]:
        out.print(f"row rule: {rule['name']}: {rule['sql']}", markup=False)
    for kind in ("unique", "references"):
        for rule in result[kind]:
            to = f" in {rule['dataset']}.{', '.join(rule['to'])}" if "to" in rule else ""
            out.print(
                f"{kind}: {', '.join(rule['columns'])}{to} ({rule['severity']})", markup=False
            )
    for rule in result["dataset_rules"]:
        requirement = " ".join([rule["metric"], *rule["columns"], rule["promise"]])
        out.print(f"dataset rule: {rule['name']}: {requirement} ({rule['severity']})", markup=False)
    if result["channels"]:
        out.print(f"owner is notified by: {', '.join(result['channels'])}", markup=False)
    for way in result["capture"]:
        out.print(f"capture: {way['method']}, {way['format']}, {way['path']}", markup=False)


def _short(rule: dict[str, Any]) -> str:
    given = ", ".join(show(value) for value in rule["arguments"].values())
    mark = " (warning)" if rule["severity"] == "warning" else ""
    name = "" if rule["name"] == rule["check"] else f"{rule['name']}: "
    return f"{name}{rule['check']}{f'({given})' if given else ''}{mark}"


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `contracts`."""
    lines = (
        "lakehouse contracts show {domain}.{dataset}",
        "lakehouse contracts show {domain}.{dataset} --sql",
        "lakehouse contracts show {domain} {dataset} --ddl",
    )
    verb.command("show", epilog=examples(*lines))(_show)
