"""The verb `contracts`: check the files; the other verbs below it stand in files of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli import contracts_derive, contracts_diff, contracts_new, contracts_propose, contracts_show
from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit, table
from operations.authoring.check import check

if TYPE_CHECKING:
    from rich.console import Console


def _check(domain: AnyDomain = "", json: Json = False) -> None:
    """Check every contract file: the standard's schema, types, rules, vault; exit 2 for a problem."""
    emit({"contracts": check(read_settings(), domain)}, json, _checked)


def _checked(out: Console, found: dict[str, Any]) -> None:
    rows = found["contracts"]
    if not rows:
        out.print("no contracts")
        return
    columns = ["file", "version", "status", "owner", ">columns", ">rules", ">warnings", "vault"]
    out.print(table("", columns, [[row[name.lstrip(">")] for name in columns] for row in rows]))
    out.print(f"{len(rows)} contracts, no problem")


def add_to(app: typer.Typer) -> None:
    """Add the verb and its parts."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    lines = ("lakehouse contracts check", "lakehouse contracts check {domain} --json")
    verb.command("check", epilog=examples(*lines))(_check)
    lines = (
        "lakehouse contracts show {domain}.{dataset}",
        "lakehouse contracts show {domain}.{dataset} --sql",
        "lakehouse contracts show {domain} {dataset} --pandera",
    )
    verb.command("show", epilog=examples(*lines))(contracts_show.command)
    lines = (
        "lakehouse contracts diff --against earlier",
        "lakehouse contracts diff {domain} --against v1.2.0",
        "lakehouse contracts diff HEAD~1:contracts/{domain}/{dataset}.yaml contracts/{domain}/{dataset}.yaml",
    )
    verb.command("diff", epilog=examples(*lines))(contracts_diff.command)
    lines = ("lakehouse contracts propose {domain}", "lakehouse contracts propose {domain} --write")
    verb.command("propose", epilog=examples(*lines))(contracts_propose.command)
    contracts_derive.add_to(verb)
    contracts_new.add_to(verb)
    app.add_typer(
        verb,
        name="contracts",
        help="Check, show, compare, draft or extend contracts; derive from all.",
    )
