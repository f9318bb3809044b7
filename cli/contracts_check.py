"""The verb `contracts check`: check contract files against the standard, types, rules and vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit, table
from operations.authoring.check import check

if TYPE_CHECKING:
    from rich.console import Console


def _check(domain: AnyDomain = "", json: Json = False) -> None:
    """Check every contract file: the standard's schema, types, rules, vault; exit 2 for a problem."""
    emit({"contracts": check(read_settings(), domain)}, json, _page)


def _page(out: Console, result: dict[str, Any]) -> None:
    rows = result["contracts"]
    if not rows:
        out.print("no contracts")
        return
    columns = ["file", "version", "status", "owner", ">columns", ">rules", ">warnings", "vault"]
    out.print(table("", columns, [[row[name.lstrip(">")] for name in columns] for row in rows]))
    out.print(f"{len(rows)} contracts, no problem")


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `contracts`."""
    lines = ("lakehouse contracts check", "lakehouse contracts check {domain} --json")
    verb.command("check", epilog=examples(*lines))(_check)
