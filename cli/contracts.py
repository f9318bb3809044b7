"""The verb `contracts`: its own verbs are files of their own."""

from __future__ import annotations

import typer

from cli import (
    contracts_check,
    contracts_derive,
    contracts_diff,
    contracts_new,
    contracts_propose,
    contracts_show,
)

# The registry of its verbs, in the order of `--help`
COMMANDS = (
    contracts_check,
    contracts_show,
    contracts_diff,
    contracts_propose,
    contracts_derive,
    contracts_new,
)


def add_to(app: typer.Typer) -> None:
    """Add the verb and its own verbs."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    for command in COMMANDS:
        command.add_to(verb)
    app.add_typer(
        verb,
        name="contracts",
        help="Check, show, compare, draft or extend contracts; derive dbt YAML from them.",
    )
