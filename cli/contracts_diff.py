"""The verb `contracts diff`: what changed between two versions and what it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, read_settings
from cli.output import emit, table
from operations.authoring.compare import compare, problems

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, found: dict[str, Any]) -> None:
    for note in found["notes"]:
        out.print(note, markup=False)
    if found["against"] is None and found["notes"]:
        return
    rows = [
        [
            f"{c['file']}:{c['line']}",
            c["message"],
            "breaking" if c["breaking"] else "compatible",
            c["bump"],
        ]
        for each in found["datasets"]
        for c in each["changes"]
    ]
    if not rows:
        out.print("no difference")
    else:
        out.print(table("", ["where", "change", "", "needs"], rows))
    for each in found["datasets"]:
        if each["needs"]:
            out.print(
                f"{each['dataset']}: {each['old_version']} to {each['new_version'] or 'gone'}; "
                f"{each['needed_version']} or higher is needed",
                markup=False,
            )


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OLD NEW | DOMAIN]",
            help="Two contracts, each a FILE or REVISION:FILE; with --against a domain, or nothing.",
            show_default=False,
        ),
    ] = None,
    revision: Annotated[
        str,
        typer.Option(
            "--against",
            help="Compare all contracts with a git revision; `earlier` finds one: where the branch "
            "began, else the last tag, else the commit before.",
        ),
    ] = "",
    json: Json = False,
) -> None:
    """Say what changed and what breaks; exit 3 for a breaking change without a major version."""
    from lakehouse.errors import ContractBreach

    found = compare(read_settings(), names or [], revision)
    emit(found, json, _page)
    if not found["allowed"]:
        raise ContractBreach("\n".join(problems(found)))
