"""The verb `quarantine`: list and show rejected rows; replay and expire are files of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import quarantine_expire, quarantine_replay
from cli.arguments import AnyDomain, Domain, Json, examples, read_settings
from cli.output import emit, table
from operations.quarantine import reasons, rows_of

if TYPE_CHECKING:
    from rich.console import Console


def _list(domain: AnyDomain = "", json: Json = False) -> None:
    """List the reasons for which rows are in quarantine, by dataset."""
    emit({"reasons": reasons(read_settings(), domain)}, json, _reasons)


def _reasons(out: Console, result: dict[str, Any]) -> None:
    if not result["reasons"]:
        out.print("nothing in quarantine")
        return
    names = ["domain", "dataset", "column", "rule", ">rows", ">open", ">first run", ">last run"]
    keys = [name.lstrip(">").replace(" ", "_") for name in names]
    out.print(table("", names, [[row[key] for key in keys] for row in result["reasons"]]))


def _show(
    domain: Domain,
    dataset: Annotated[str, typer.Argument(help="A dataset of the domain.")],
    rule: Annotated[
        str, typer.Option(help="Only rows with this rule, or column, among the reasons.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, help="At most this many rows.")
    ] = 20,
    unseal: Annotated[
        bool, typer.Option("--unseal", help="Show personal values, too; needs the key.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a dataset's newest quarantined rows with every reason; personal values are masked."""
    result = rows_of(read_settings(), domain, dataset, rule=rule, limit=limit, unseal=unseal)
    emit(result, json, _rows)


def _rows(out: Console, result: dict[str, Any]) -> None:
    if not result["rows"]:
        out.print(f"nothing of {result['dataset']} in quarantine", markup=False)
        return
    lines = []
    for row in result["rows"]:
        failures = [f"{f['column']}: {f['rule']} ({f['value']})" for f in row["failures"]]
        values = ", ".join(f"{key}={value}" for key, value in row["row"].items())
        lines.append([row["_batch"], row["status"], "\n".join(failures), values, row["_source"]])
    out.print(table(result["dataset"], [">run", "status", "reasons", "row", "source"], lines))
    if result["total"] > len(lines):
        out.print(f"{len(lines)} of {result['total']:,} rows; --limit shows more")


def add_to(app: typer.Typer) -> None:
    """Add the verb and its parts."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    lines = ("lakehouse quarantine list", "lakehouse quarantine list {domain} --json")
    verb.command("list", epilog=examples(*lines))(_list)
    lines = (
        "lakehouse quarantine show {domain} {dataset}",
        "lakehouse quarantine show {domain} {dataset} --rule required --limit 5",
    )
    verb.command("show", epilog=examples(*lines))(_show)
    lines = (
        "lakehouse quarantine replay {domain} --dry-run",
        "lakehouse quarantine replay {domain} {dataset} --where \"_source = 'day-7.jsonl'\"",
    )
    verb.command("replay", epilog=examples(*lines))(quarantine_replay.command)
    lines = (
        "lakehouse quarantine expire {domain} --dry-run",
        "lakehouse quarantine expire {domain} --older-than 30d --yes",
    )
    verb.command("expire", epilog=examples(*lines))(quarantine_expire.command)
    app.add_typer(
        verb, name="quarantine", help="Rows that a gate rejected: list, show, replay, expire."
    )
