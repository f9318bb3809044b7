"""The verb `audit`: compare every planted fault with its outcome, and count false positives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import emit, table

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20


def _audit(domain: Domain, json: Json = False) -> None:
    """Compare the tables with the faults that were planted; exit code 1 unless all is as promised."""
    from operations.fault_audit import audit

    result = audit(read_settings(), domain).to_dict()
    emit(result, json, _page)
    if not result["passed"]:
        raise typer.Exit(1)


def _page(out: Console, result: dict[str, Any]) -> None:
    kinds = [
        (k["kind"], k["planted"], k["met"], _share(k["recall"]), _share(k["precision"]))
        for k in result["kinds"]
    ]
    total = (_share(result["recall"]), _share(result["precision"]))
    met = sum(kind["met"] for kind in result["kinds"])
    titles = ["kind of fault", ">planted", ">met", ">recall", ">precision"]
    out.print(table("", titles, [*kinds, ("all", result["planted"], met, *total)]))
    names = ["input", "valid", "quarantined", "superseded"]
    rows = [
        [row["dataset"], *(row[n] for n in names), row["as_promised"]] for row in result["rows"]
    ]
    titles = ["dataset", ">rows in", ">valid", ">quarantined", ">superseded", "as the source says"]
    out.print(table("", titles, rows))
    for problem in result["problems"][:SHOWN]:
        out.print(problem, markup=False)
    if len(result["problems"]) > SHOWN:
        out.print(f"{len(result['problems']) - SHOWN} more; --json lists all")
    outcome = (
        f"recall {total[0]}, precision {total[1]}: every fault was met as promised, no false positive"
        if result["passed"]
        else f"recall {total[0]}, precision {total[1]}: {len(result['problems'])} not as promised. "
        f"Where files are pending, `lakehouse run {result['domain']}` first"
    )
    out.print(f"through {result['through']}: {outcome}", markup=False)


def _share(part: float) -> str:
    """Return a share in per cent; only the whole is 100."""
    return "100 %" if part == 1 else f"{min(part * 100, 99.99):.2f} %"


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "audit", epilog=examples("lakehouse audit {domain}", "lakehouse audit {domain} --json")
    )(_audit)
