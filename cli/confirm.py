"""Confirmation of a plan before it is carried out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Go on without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and do nothing.")]


def go_on(question: str, *, yes: bool, as_json: bool) -> bool:
    """Return whether to go on; raise UsageError where no terminal can ask."""
    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        from lakehouse.errors import UsageError

        raise UsageError("no terminal to confirm on: --yes goes on, --dry-run only shows the plan")
    return typer.confirm(question)
