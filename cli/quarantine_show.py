"""The verb `quarantine show`: show rejected rows with their reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import emit, table
from operations.quarantine import rows_of

if TYPE_CHECKING:
    from rich.console import Console


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
    result = rows_of(read_settings(), domain, dataset, rule=rule, limit=limit, unseal=unseal)
    emit(result, json, _page)


def _page(out: Console, result: dict[str, Any]) -> None:
    if not result["rows"]:
        out.print(f"nothing of {result['dataset']} in quarantine", markup=False)
        return
    lines = []
    for row in result["rows"]:
        failures = [f"{f['column']}: {f['rule']} ({f['value']})" for f in row["failures"]]
        values = ", ".join(f"{key}={value}" for key, value in row["row"].items())
        lines.append([row["_batch"], row["status"], "\n".join(failures), values, row["_source"]])
    out.print(table(result["dataset"], [">run", "status", "reasons", "row", "source"], lines))
    if result["total"] > len(lines):
        out.print(f"{len(lines)} of {result['total']:,} rows; --limit shows more")


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `quarantine`."""
    lines = (
        "lakehouse quarantine show {domain} {dataset}",
        "lakehouse quarantine show {domain} {dataset} --rule required --limit 5",
    )
    verb.command("show", epilog=examples(*lines))(_show)
