"""The verb `score`: score new events, once or as they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import Progress, emit

if TYPE_CHECKING:
    pass


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


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse score {domain}", "lakehouse score {domain} --always-on")
    app.command("score", epilog=examples(*lines))(_score)
