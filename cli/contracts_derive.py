"""The verb `contracts derive`: write or check the files that follow from contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit
from operations.authoring.derive import SHOWN, derive

if TYPE_CHECKING:
    from rich.console import Console


def _command(
    domain: AnyDomain = "",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where a file differs.")
    ] = False,
    json: Json = False,
) -> None:
    """Write what follows from the contracts: DDL, dbt sources and models, expectation suites."""
    found = derive(read_settings(), domain, check=check)
    emit(found, json, _page)
    if check and found["files"]:
        raise typer.Exit(1)


def _page(out: Console, found: dict[str, Any]) -> None:
    told = {"missing": "written", "differs": "written", "left over": "removed"}
    for each in found["files"]:
        what = each["what"] if found["check"] else told[each["what"]]
        out.print(f"{each['file']}: {what}", markup=False, soft_wrap=True)
        if found["check"]:
            lines = each["diff"][2:]
            for line in lines[:SHOWN]:
                out.print(f"    {line}", markup=False, soft_wrap=True)
            if len(lines) > SHOWN:
                out.print(f"    and {len(lines) - SHOWN} lines more")
    if not found["files"]:
        out.print("all derived files are what the contracts say")
    elif found["check"]:
        out.print("write them anew: lakehouse contracts derive", markup=False)


def add_to(verb: typer.Typer) -> None:
    """Add the part to the verb `contracts`."""
    lines = ("lakehouse contracts derive {domain}", "lakehouse contracts derive --check")
    verb.command("derive", epilog=examples(*lines))(_command)
