"""The verb `rollback`: undo a run and what was made from it, after showing the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.confirm import DryRun, Yes, go_on
from cli.output import Progress, console, emit, table

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, found: dict[str, Any]) -> None:
    runs = found["undone"]
    names = ["run", "what", "status", "at"]
    out.print(table(f"undone in {found['domain']}", names, [[r[n] for n in names] for r in runs]))
    lines = [
        [
            each["table"], each["version"], each["rows"],
            "empty" if each["back_to"] is None else each["back_to"], each["rows_then"],
        ]
        for each in found["tables"]
    ]  # fmt: skip
    if lines:
        columns = ["table", ">version", ">rows", ">back to", ">rows then"]
        out.print(table("tables", columns, lines))
    else:
        out.print("every table is as it was before")
    if found["files_to_load_again"]:
        out.print(f"files that the next run loads again: {len(found['files_to_load_again'])}")
    if found["files_gone"]:
        listed = ", ".join(found["files_gone"])
        out.print(f"no longer landed, so they cannot be loaded again: {listed}", markup=False)
    for name, why in found["left_alone"].items():
        out.print(f"left alone: {name}, since {why}", markup=False)


def _done(out: Console, found: dict[str, Any]) -> None:
    again = any(run["what"] == "run" for run in found["undone"])
    out.print(
        f"run {found['rollback']}: {len(found['tables'])} tables are back to where run "
        f"{found['run']} found them"
        + (f"; `lakehouse run {found['domain']}` does it again" if again else ""),
        markup=False,
    )


def _command(
    run: Annotated[
        int,
        typer.Argument(metavar="RUN", min=1, help="The number of a run: see `lakehouse status`."),
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Return every table that a run touched, and later ones of its domain, to how that run found it."""
    from operations.rollback import roll_back
    from operations.rollback_plan import plan

    settings = read_settings()
    chosen = plan(settings, run).to_dict()
    if dry_run:
        emit(chosen | {"dry_run": True}, json, _page)
        return
    if not json:
        _page(console(), chosen)
    if not go_on("undo this?", yes=yes, as_json=json):
        raise typer.Abort
    with Progress() as progress:
        done = roll_back(settings, run, progress)
    emit(done, json, _done)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        "lakehouse rollback 12 --dry-run",
        "lakehouse rollback 12",
        "lakehouse rollback 12 --yes --json",
    )
    app.command("rollback", epilog=examples(*lines))(_command)
