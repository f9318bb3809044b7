"""The verb `contracts propose`: extend a contract by the schema drift in bronze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import emit, table
from operations.authoring.propose import propose

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: dict[str, Any]) -> None:
    if not result["proposals"]:
        out.print("no schema drift: the contracts describe all that is in bronze")
        return
    for proposal in result["proposals"]:
        rows = [
            [c["column"], f"{c['old_type']} to {c['type']}" if c["old_type"] else c["type"],
             c["rows"], f"{100 * c['null_share']:.0f} %", ", ".join(c["shapes"])]
            for c in proposal["columns"]
        ]  # fmt: skip
        title = f"{proposal['file']}: {proposal['version']} to {proposal['new_version']}"
        out.print(table(title, ["column", "type", ">rows", ">null", "looks like"], rows))
        print(proposal["fragment"], end="", file=out.file)
        if proposal["written"]:
            out.print(
                f"{proposal['file']} written: describe the new columns, then review", markup=False
            )
    if not result["proposals"][0]["written"]:
        out.print("--write changes the files")


def _propose(
    domain: Domain,
    dataset: Annotated[
        str, typer.Argument(help="A dataset of the domain; all of them when omitted.")
    ] = "",
    write: Annotated[bool, typer.Option("--write", help="Change the contract files.")] = False,
    json: Json = False,
) -> None:
    """Propose a contract's next version for the schema drift of its source: new columns, wider types."""
    emit({"proposals": propose(read_settings(), domain, dataset, write=write)}, json, _page)


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `contracts`."""
    lines = ("lakehouse contracts propose {domain}", "lakehouse contracts propose {domain} --write")
    verb.command("propose", epilog=examples(*lines))(_propose)
