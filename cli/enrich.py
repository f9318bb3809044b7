"""The verb `enrich`: run the inference jobs of a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import Progress, emit

if TYPE_CHECKING:
    pass


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
    """Add the verb."""
    lines = ("lakehouse enrich {domain}", "lakehouse enrich {domain} --limit 1000")
    app.command("enrich", epilog=examples(*lines))(_enrich)
