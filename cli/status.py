"""The verb `status`: rows, versions, freshness and last run of every table of every domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit, table
from lakehouse.formatting import age, show, size
from operations.status import status

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: dict[str, Any]) -> None:
    if not any(domain["tables"] or domain["pending"] for domain in result["domains"]):
        out.print(f"No tables yet in {result['warehouse']}. Try `lakehouse demo`.", markup=False)
        return
    for domain in result["domains"]:
        out.print(table(domain["domain"], _COLUMNS, _lines(domain["tables"])))
        run = domain["last_run"]
        if run:
            out.print(
                f"last run: {run['run']} {run['status']} in {run['seconds']:.1f} s, "
                f"{show(run['at'])} {run['message']}".rstrip(),
                markup=False,
            )
        published = domain["published"]
        if published and published["behind"]:
            out.print(f"gold is behind: {', '.join(published['behind'])}", markup=False)
        for dataset in domain["pending"]:
            files = f"{dataset['files']} file{'' if dataset['files'] == 1 else 's'}"
            out.print(f"pending: {files} of {dataset['dataset']}", markup=False)
        if "contract_error" in domain:
            out.print(f"contracts: {domain['contract_error']}", markup=False)


_COLUMNS = ["layer", "table", ">rows", ">version", ">size", ">updated", ">run", ">seconds", "note"]


def _lines(rows: list[dict[str, Any]]) -> list[list[Any]]:
    lines, layer = [], ""
    for row in rows:
        step = row["last_step"] or {}
        lines.append(
            [
                "" if row["layer"] == layer else row["layer"],
                row["table"].partition("__")[2],
                row["rows"],
                row["version"],
                size(row["bytes"]),
                f"{age(row['age_seconds'])} ago",
                step.get("run"),
                f"{step['seconds']:.1f}" if step else "",
                _note(row),
            ]
        )
        layer = row["layer"]
    return lines


def _note(row: dict[str, Any]) -> str:
    step = row["last_step"] or {}
    notes = [
        f"behind {up['table']}: has {up['consumed']} of {up['current']}"
        for up in row["upstream"]
        if up["behind"]
    ]
    if row["open_quarantine"]:
        notes.append(f"{row['open_quarantine']:,} open")
    if step and step["status"] != "done":
        notes.append(f"{step['status']}: {step['message']}".rstrip(": "))
    return "; ".join(notes)


def _command(domain: AnyDomain = "", json: Json = False) -> None:
    """Show rows, versions, freshness, the last run and open quarantine of every table."""
    emit(status(read_settings(), domain), json, _page)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse status", "lakehouse status {domain}", "lakehouse status --json")
    app.command("status", epilog=examples(*lines))(_command)
