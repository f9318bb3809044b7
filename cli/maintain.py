"""The verb `maintain`: merge small files, remove old ones, shorten logs, within the retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.confirm import DryRun
from cli.output import Progress, emit, table
from lakehouse.formatting import size

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: dict[str, Any]) -> None:
    would = "would be " if result["dry_run"] else ""
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
    for domain in result["domains"]:
        lines = [_line(row) for row in domain["tables"]]
        lines = [line for line in lines if any(line[2:])]
        if domain["busy"]:
            out.print(f"{domain['domain']}: {domain['busy']}", markup=False)
        elif lines:
            out.print(table(domain["domain"], columns, lines))
        else:
            out.print(f"{domain['domain']}: nothing to do")
        for path in domain["checkpoints_to_remove"]:
            out.print(
                f"checkpoint {would}removed, no contract has its stream: {path}", markup=False
            )
    days = result["keeps_days"]
    out.print(f"every version of the last {days} days can be read and rolled back to")


def _line(row: dict[str, Any]) -> list[Any]:
    notes = [f"not merged: {row['not_merged']}"] if row["not_merged"] else []
    notes += ["retention set"] if row["sets_retention"] else []
    return [
        row["table"],
        row["files"],
        row["files_to_merge"] or None,
        size(row["bytes_to_merge"]) if row["files_to_merge"] else "",
        row["files_to_remove"] or None,
        size(row["bytes_to_remove"]) if row["files_to_remove"] else "",
        row["log_files_to_remove"] or None,
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
    """Merge small files, remove those that no retained version needs, and shorten the logs."""
    from operations.maintenance import maintain

    settings = read_settings()
    with Progress() as progress:
        result = maintain(settings, domain, keep_days=keep_days, dry_run=dry_run, progress=progress)
    emit(result, json, _page)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        "lakehouse maintain --dry-run",
        "lakehouse maintain {domain}",
        "lakehouse maintain {domain} --keep-days 90 --json",
    )
    app.command("maintain", epilog=examples(*lines))(_command)
