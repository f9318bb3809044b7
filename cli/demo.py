"""The verb `demo`: land, run, train and score the sample domain, and print what came of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.output import Progress, console, emit, table

if TYPE_CHECKING:
    from rich.console import Console

SCALES = ("tiny", "small", "full")


def _demo(
    scale: Annotated[
        str, typer.Option(help="tiny (a fortieth of the households), small (a quarter) or full.")
    ] = "small",
    days: Annotated[int, typer.Option("--days", "-n", min=0, help="How many days of changes.")] = 3,
    json: Json = False,
) -> None:
    """Do the whole main job on real data: land, run, train, score; then list what to try next."""
    from contracts.parsing.load import load_domain
    from lakehouse.errors import UsageError
    from pages.report import report
    from pages.report.scores import scores
    from pipeline.demo import demo

    if scale not in SCALES:
        raise UsageError(f"no scale '{scale}'; there is: {', '.join(SCALES)}")
    settings = read_settings()
    out = console(quiet=json)
    with Progress() as progress:
        result = demo(settings, scale, days, progress, lambda seconds, step: out.print(
            f"{seconds:7.1f} s  {step}", markup=False
        ))  # fmt: skip
    domain = result["domain"]
    result["scores"] = scores(settings, domain, load_domain(settings.contracts, domain))
    page = report(settings)
    if json:
        emit(result, as_json=True)
    else:
        _page(out, result, page["file"])


def _page(out: Console, result: dict[str, Any], report: str) -> None:
    rows = [
        (row["table"], f"{row['input']:,}", f"{row['valid']:,}", f"{row['quarantined']:,}",
         f"{row['superseded']:,}", "yes" if row["adds_up"] else "NO", f"{row['seconds']:.1f}")
        for row in result["tables"] if row["layer"] in ("bronze", "silver")
    ]  # fmt: skip
    titles = ["table", ">rows in", ">valid", ">quarantined", ">superseded", "adds up", ">s"]
    out.print(table("", titles, rows))
    for scored in result["scores"]:
        for rank in ("best", "worst"):
            lines = [[row.get(column) for column in scored["columns"]] for row in scored[rank]]
            out.print(table(f"{rank} of {scored['table']}", scored["columns"], lines))
    out.print(f"done in {result['seconds']:.0f} s; the report is {report}", markup=False)
    command = "lakehouse" if shutil.which("lakehouse") else ".venv/bin/lakehouse"
    out.print("try next:")
    for line in _next(result):
        out.print(f"  {command} {line}", markup=False)


def _next(result: dict[str, Any]) -> list[str]:
    domain = result["domain"]
    facts = [row for row in result["tables"] if "__fct_" in row["table"]]
    largest = max(facts, key=lambda row: row["written"], default={"table": f"gold.{domain}__..."})
    return [
        "status",
        f'sql "select count(*) from {largest["table"]}"',
        f"quarantine list {domain}",
        f"features list {domain}",
        "report --open",
    ]


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse demo", "lakehouse demo --scale full", "lakehouse demo --json")
    app.command("demo", epilog=examples(*lines))(_demo)
