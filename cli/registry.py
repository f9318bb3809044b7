"""Adds verbs by the names of their modules: a verb is a file in `cli/` with a function `add_to`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer


def add_commands(app: typer.Typer, names: Iterable[str]) -> None:
    """Add the verbs of some modules of `cli/`, in this order."""
    for name in names:
        import_module(f"cli.{name}").add_to(app)
