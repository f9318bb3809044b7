"""The verb `maintain`: what keeps tables small and quick, within what is promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.confirm import DryRun
from cli.output import Progress, emit, table
from lakehouse.formatting import size

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, found: dict[str, Any]) -> None:
    would = "would be " if found["dry_run"] else ""
    columns = [
        "table",
        ">files",
        f">{would}merged",
        ">size",
        f">{would}removed",
        ">size",
        ">log files",
        "note",
    ]
    for one in found["domains"]:
        lines = [_line(each) for each in one["tables"]]
        lines = [line for line in lines if any(line[2:])]
        if one["busy"]:
            out.print(f"{one['domain']}: {one['busy']}", markup=False)
        elif lines:
            out.print(table(one["domain"], columns, lines))
        else:
            out.print(f"{one['domain']}: nothing to do")
        for path in one["checkpoints_to_remove"]:
            out.print(
                f"checkpoint {would}removed, no contract has its stream: {path}", markup=False
            )
    out.print(f"every version of the last {found['keeps_days']} days can be read and returned to")


def _line(each: dict[str, Any]) -> list[Any]:
    notes = [f"not merged: {each['not_merged']}"] if each["not_merged"] else []
    notes += ["retention set"] if each["sets_retention"] else []
    return [
        each["table"],
        each["files"],
        each["files_to_merge"] or None,
        size(each["bytes_to_merge"]) if each["files_to_merge"] else "",
        each["files_to_remove"] or None,
        size(each["bytes_to_remove"]) if each["files_to_remove"] else "",
        each["log_files_to_remove"] or None,
        "; ".join(notes),
    ]


def _command(
    domain: AnyDomain = "",
    keep_days: Annotated[
        int | None,
        typer.Option(
            help="Keep versions for more days than LAKEHOUSE_RETENTION_DAYS.", show_default=False
        ),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Merge small files, remove those that no promised version needs, and shorten the logs."""
    from operations.maintenance import maintain

    settings = read_settings()
    with Progress() as progress:
        found = maintain(settings, domain, keep_days=keep_days, dry_run=dry_run, progress=progress)
    emit(found, json, _page)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        "lakehouse maintain --dry-run",
        "lakehouse maintain {domain}",
        "lakehouse maintain {domain} --keep-days 90 --json",
    )
    app.command("maintain", epilog=examples(*lines))(_command)
