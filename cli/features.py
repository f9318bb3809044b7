"""The verb `features`: its own verbs are files of their own."""

from __future__ import annotations

import typer

from cli import features_list, features_pull

# The registry of its verbs, in the order of `--help`
COMMANDS = (features_list, features_pull)


def add_to(app: typer.Typer) -> None:
    """Add the verb and its own verbs."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    for command in COMMANDS:
        command.add_to(verb)
    app.add_typer(
        verb, name="features", help="List feature sets, or pull one point-in-time correct."
    )
