"""The verb `contracts diff`: changes between two versions, and what they break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.output import emit, table
from operations.authoring.compare import compare, problems

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: dict[str, Any]) -> None:
    for note in result["notes"]:
        out.print(note, markup=False)
    if result["against"] is None and result["notes"]:
        return
    rows = [
        [
            f"{c['file']}:{c['line']}",
            c["message"],
            "breaking" if c["breaking"] else "compatible",
            c["bump"],
        ]
        for dataset in result["datasets"]
        for c in dataset["changes"]
    ]
    if not rows:
        out.print("no difference")
    else:
        out.print(table("", ["where", "change", "", "needs"], rows))
    for dataset in result["datasets"]:
        if dataset["needs"]:
            out.print(
                f"{dataset['dataset']}: {dataset['old_version']} to {dataset['new_version'] or 'gone'}; "
                f"{dataset['needed_version']} or higher is needed",
                markup=False,
            )


def _diff(
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
    """List changes and what they break; exit 3 for a breaking change without a major version."""
    from lakehouse.errors import ContractBreach

    result = compare(read_settings(), names or [], revision)
    emit(result, json, _page)
    if not result["allowed"]:
        raise ContractBreach("\n".join(problems(result)))


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `contracts`."""
    lines = (
        "lakehouse contracts diff --against earlier",
        "lakehouse contracts diff {domain} --against v1.2.0",
        "lakehouse contracts diff HEAD~1:contracts/{domain}/{dataset}.yaml contracts/{domain}/{dataset}.yaml",
    )
    verb.command("diff", epilog=examples(*lines))(_diff)
