"""The verb `contracts derive`: write or check the dbt YAML that follows from contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit
from operations.authoring.derive import SHOWN, derive

if TYPE_CHECKING:
    from rich.console import Console

WRITTEN = {"missing": "written", "differs": "written", "left over": "removed"}


def _derive(
    domain: AnyDomain = "",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where a file differs.")
    ] = False,
    json: Json = False,
) -> None:
    """Write dbt's sources and models as the contracts describe them."""
    result = derive(read_settings(), domain, check=check)
    emit(result, json, _page)
    if check and result["files"]:
        raise typer.Exit(1)


def _page(out: Console, result: dict[str, Any]) -> None:
    for file in result["files"]:
        status = file["status"] if result["check"] else WRITTEN[file["status"]]
        out.print(f"{file['file']}: {status}", markup=False, soft_wrap=True)
        if result["check"]:
            lines = file["diff"][2:]
            for line in lines[:SHOWN]:
                out.print(f"    {line}", markup=False, soft_wrap=True)
            if len(lines) > SHOWN:
                out.print(f"    and {len(lines) - SHOWN} lines more")
    if not result["files"]:
        out.print("all derived files follow from the contracts")
    elif result["check"]:
        out.print("write them: lakehouse contracts derive", markup=False)


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `contracts`."""
    lines = ("lakehouse contracts derive {domain}", "lakehouse contracts derive --check")
    verb.command("derive", epilog=examples(*lines))(_derive)
