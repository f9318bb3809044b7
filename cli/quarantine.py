"""The verb `quarantine`: list and show refused rows; replay and expire stand in files of their own."""

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


def _reasons(out: Console, found: dict[str, Any]) -> None:
    if not found["reasons"]:
        out.print("nothing in quarantine")
        return
    names = ["domain", "dataset", "column", "rule", ">rows", ">open", ">first run", ">last run"]
    keys = [name.lstrip(">").replace(" ", "_") for name in names]
    out.print(table("", names, [[row[key] for key in keys] for row in found["reasons"]]))


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
    found = rows_of(read_settings(), domain, dataset, rule=rule, limit=limit, unseal=unseal)
    emit(found, json, _rows)


def _rows(out: Console, found: dict[str, Any]) -> None:
    if not found["rows"]:
        out.print(f"nothing of {found['dataset']} in quarantine", markup=False)
        return
    lines = []
    for row in found["rows"]:
        failures = [f"{f['column']}: {f['rule']} ({f['value']})" for f in row["failures"]]
        values = ", ".join(f"{key}={value}" for key, value in row["row"].items())
        lines.append([row["_batch"], row["status"], "\n".join(failures), values, row["_source"]])
    out.print(table(found["dataset"], [">run", "status", "reasons", "row", "source"], lines))
    if found["total"] > len(lines):
        out.print(f"{len(lines)} of {found['total']:,} rows; --limit shows more")


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
    app.add_typer(verb, name="quarantine", help="Rows that a gate refused, why, and what next.")
