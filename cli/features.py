"""The verb `features`: its own verbs are files of their own."""

from __future__ import annotations

import typer

from cli.registry import add_commands

# The registry of its verbs, each a module of `cli/`, in the order of `--help`
COMMANDS = ("features_list", "features_pull")


def add_to(app: typer.Typer) -> None:
    """Add the verb and its own verbs."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_commands(verb, COMMANDS)
    app.add_typer(
        verb, name="features", help="List feature sets, or pull one point-in-time correct."
    )
