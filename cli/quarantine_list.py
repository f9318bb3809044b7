"""The verb `quarantine list`: count rejected rows by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit, table
from operations.quarantine import reasons

if TYPE_CHECKING:
    from rich.console import Console


def _list(domain: AnyDomain = "", json: Json = False) -> None:
    """List the reasons for which rows are in quarantine, by dataset."""
    emit({"reasons": reasons(read_settings(), domain)}, json, _page)


def _page(out: Console, result: dict[str, Any]) -> None:
    if not result["reasons"]:
        out.print("nothing in quarantine")
        return
    names = ["domain", "dataset", "column", "rule", ">rows", ">open", ">first run", ">last run"]
    keys = [name.lstrip(">").replace(" ", "_") for name in names]
    out.print(table("", names, [[row[key] for key in keys] for row in result["reasons"]]))


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `quarantine`."""
    lines = ("lakehouse quarantine list", "lakehouse quarantine list {domain} --json")
    verb.command("list", epilog=examples(*lines))(_list)
