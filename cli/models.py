"""The verbs of a domain's models: train, score, enrich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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


def _trained(out: Console, found: dict[str, Any]) -> None:
    for name, manifest in found.items():
        out.print(f"[bold]{name}[/bold] {manifest['version']}", highlight=False)
        out.print(manifest["outcome"], markup=False)
        rows = [
            [key.replace("_", " "), value]
            for key, value in manifest["metrics"].items()
            if isinstance(value, (int, float))
        ]
        rows += [
            ["rows learnt from", manifest["rows_train"]],
            ["rows judged by", manifest["rows_test"]],
        ]
        out.print(table("", ["figure", ">value"], rows))
        if not manifest.get("trained", True):
            out.print("the same examples, parameters and code were trained before: nothing written")


def _score(
    domain: Domain,
    always_on: Annotated[
        bool, typer.Option("--always-on", help="Keep running, scoring events as they arrive.")
    ] = False,
    json: Json = False,
) -> None:
    """Score the events that have not been scored yet, each once."""
    from pipeline.notify import notify_breach
    from platinum.scoring.scoring import score

    settings = read_settings()
    with Progress() as progress, notify_breach(settings, domain, "platinum"):
        emit(score(settings, domain, always_on=always_on, progress=progress), json)


def _enrich(
    domain: Domain,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many rows.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Run the inference jobs of the domain over the rows that have no result yet."""
    from platinum.enrichment.enrichment import enrich

    settings = read_settings()
    with Progress() as progress:
        emit(enrich(settings, domain, limit=limit, progress=progress), json)


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(
        "train", epilog=examples("lakehouse train {domain}", "lakehouse train {domain} --json")
    )(_train)
    app.command(
        "score", epilog=examples("lakehouse score {domain}", "lakehouse score {domain} --always-on")
    )(_score)
    app.command(
        "enrich",
        epilog=examples("lakehouse enrich {domain}", "lakehouse enrich {domain} --limit 1000"),
    )(_enrich)
