"""The verb `features list`: list feature sets."""

from __future__ import annotations

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit
from operations.feature_sets import feature_sets


def _list(domain: AnyDomain = "", json: Json = False) -> None:
    """List the feature sets: entity, instant from which a row may be used, columns."""
    by_domain = feature_sets(read_settings(), domain)
    emit([{"domain": owner, **row} for owner, rows in by_domain.items() for row in rows], json)


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `features`."""
    lines = ("lakehouse features list", "lakehouse features list {domain} --json")
    verb.command("list", epilog=examples(*lines))(_list)
