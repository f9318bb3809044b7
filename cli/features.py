"""The verb `features`: list feature sets and pull one at given instants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit
from operations.feature_sets import feature_sets, owner_of

if TYPE_CHECKING:
    pass


def _list(domain: AnyDomain = "", json: Json = False) -> None:
    """List the feature sets: entity, instant from which a row may be used, columns."""
    found = feature_sets(read_settings(), domain)
    emit([{"domain": owner, **one} for owner, sets in found.items() for one in sets], json)


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


def add_to(app: typer.Typer) -> None:
    """Add the verb and its two parts."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    verb.command(
        "list",
        epilog=examples("lakehouse features list", "lakehouse features list {domain} --json"),
    )(_list)
    verb.command(
        "pull",
        epilog=examples(
            "lakehouse features pull NAME --entities who.parquet --out features.parquet",
            "lakehouse features pull NAME --entities who.csv --as-of 2017-12-01 --out features.csv",
        ),
    )(_pull)
    app.add_typer(
        verb, name="features", help="List feature sets, or pull one point-in-time correct."
    )
