"""The verb of feature sets: list them, pull one as it was known at each entity's instant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AnyDomain, Json, examples, known_domains, read_settings
from cli.output import emit

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def feature_sets(settings: Settings, domain: str = "") -> dict[str, list[dict[str, Any]]]:
    """Return the feature sets of one domain or of all, by domain."""
    from gold.features import feature_sets

    chosen = [domain] if domain else known_domains(settings.contracts)
    return {name: feature_sets(settings, name) for name in chosen}


def owner_of(settings: Settings, names: str, domain: str = "") -> tuple[str, str]:
    """Return the domain of feature sets, and their names without it; `names` may join several.

    Raises:
        UsageError: a name is none, two domains have it, or the names are of two domains.
    """
    from lakehouse.errors import UsageError

    known = {
        (owner, found["name"])
        for owner, sets in feature_sets(settings, domain).items()
        for found in sets
    }
    owners, plain_names = set(), []
    for name in (part.strip() for part in names.split(",")):
        matching = [pair for pair in known if name in (pair[1], f"{pair[0]}.{pair[1]}")]
        if not matching:
            listed = ", ".join(sorted(f"{owner}.{own}" for owner, own in known)) or "none"
            raise UsageError(f"no feature set '{name}'; there is: {listed}")
        owners |= {owner for owner, _ in matching}
        plain_names.append(matching[0][1])
    if len(owners) > 1:
        raise UsageError(
            f"'{names}' is of several domains ({', '.join(sorted(owners))}): add --domain"
        )
    return owners.pop(), ",".join(plain_names)


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
