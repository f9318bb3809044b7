"""The verb `quarantine`: its own verbs are files of their own."""

from __future__ import annotations

import typer

from cli.registry import add_commands

# The registry of its verbs, each a module of `cli/`, in the order of `--help`
COMMANDS = ("quarantine_list", "quarantine_show", "quarantine_replay", "quarantine_expire")


def add_to(app: typer.Typer) -> None:
    """Add the verb and its own verbs."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_commands(verb, COMMANDS)
    app.add_typer(
        verb, name="quarantine", help="Rows that a gate rejected: list, show, replay, expire."
    )
