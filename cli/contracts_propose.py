"""The verb `contracts propose`: extend a contract by the schema drift in bronze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, read_settings
from cli.output import emit, table
from operations.authoring.propose import propose

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, found: dict[str, Any]) -> None:
    if not found["proposals"]:
        out.print("bronze holds nothing that the contracts do not say")
        return
    for each in found["proposals"]:
        rows = [
            [c["column"], f"{c['old_type']} to {c['type']}" if c["old_type"] else c["type"],
             c["rows"], f"{100 * c['null_share']:.0f} %", ", ".join(c["shapes"])]
            for c in each["columns"]
        ]  # fmt: skip
        title = f"{each['file']}: {each['version']} to {each['new_version']}"
        out.print(table(title, ["column", "type", ">rows", ">null", "looks like"], rows))
        print(each["fragment"], end="", file=out.file)
        if each["written"]:
            out.print(f"{each['file']} written: describe what is new, then review", markup=False)
    if not found["proposals"][0]["written"]:
        out.print("--write puts this into the files")


def command(
    domain: Domain,
    dataset: Annotated[
        str, typer.Argument(help="A dataset of the domain; all of them when left out.")
    ] = "",
    write: Annotated[bool, typer.Option("--write", help="Change the contract files.")] = False,
    json: Json = False,
) -> None:
    """Propose a contract's next version for what its source sends now: new columns, wider types."""
    emit({"proposals": propose(read_settings(), domain, dataset, write=write)}, json, _page)
