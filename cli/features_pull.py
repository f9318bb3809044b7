"""The verb `features pull`: pull feature sets, point-in-time correct."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import Json, examples, read_settings
from cli.output import emit
from operations.feature_sets import owner_of


def _pull(
    name: Annotated[str, typer.Argument(help="A feature set, or several joined by commas.")],
    entities: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Parquet or CSV with the entity's columns and instants.",
        ),
    ],
    out: Annotated[Path, typer.Option(dir_okay=False, help="Where to write: .parquet or .csv.")],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="One instant for all entities (ISO 8601).", show_default=False
        ),
    ] = None,
    domain: Annotated[str, typer.Option(help="Where two domains share a name.")] = "",
    json: Json = False,
) -> None:
    """Write the features of each entity as they were known at its instant, never later."""
    from gold.features import pull

    settings = read_settings()
    owner, names = owner_of(settings, name, domain)
    emit(pull(settings, owner, names, entities, as_of=as_of, out=out), json)


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `features`."""
    lines = (
        "lakehouse features pull NAME --entities who.parquet --out features.parquet",
        "lakehouse features pull NAME --entities who.csv --as-of 2017-12-01 --out features.csv",
    )
    verb.command("pull", epilog=examples(*lines))(_pull)
