"""The verb `train`: train the models of a domain and export them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import Progress, emit, table

if TYPE_CHECKING:
    from rich.console import Console


def _train(domain: Domain, json: Json = False) -> None:
    """Train the models that the domain's score contracts declare, and export each with a manifest."""
    from platinum.training.training import train

    settings = read_settings()
    with Progress() as progress:
        emit(train(settings, domain, progress), json, _trained)


def _trained(out: Console, result: dict[str, Any]) -> None:
    for name, manifest in result.items():
        out.print(f"[bold]{name}[/bold] {manifest['version']}", highlight=False)
        out.print(manifest["outcome"], markup=False)
        rows = [
            [key.replace("_", " "), value]
            for key, value in manifest["metrics"].items()
            if isinstance(value, (int, float))
        ]
        rows += [
            ["training rows", manifest["rows_train"]],
            ["test rows", manifest["rows_test"]],
        ]
        out.print(table("", ["figure", ">value"], rows))
        if not manifest.get("trained", True):
            out.print("the same examples, parameters and code were trained before: nothing written")


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse train {domain}", "lakehouse train {domain} --json")
    app.command("train", epilog=examples(*lines))(_train)
