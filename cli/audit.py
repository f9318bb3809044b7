"""The verb `audit`: whether every planted fault was met as promised, and no good row hurt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import emit, table

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20


def _audit(domain: Domain, json: Json = False) -> None:
    """Compare what happened with the faults that were planted; exit code 1 unless all is as promised."""
    from operations.fault_audit import audit

    found = audit(read_settings(), domain).to_dict()
    emit(found, json, _page)
    if not found["passed"]:
        raise typer.Exit(1)


def _page(out: Console, found: dict[str, Any]) -> None:
    kinds = [
        (k["kind"], k["planted"], k["met"], _share(k["recall"]), _share(k["precision"]))
        for k in found["kinds"]
    ]
    total = (_share(found["recall"]), _share(found["precision"]))
    met = sum(kind["met"] for kind in found["kinds"])
    titles = ["kind of fault", ">planted", ">met", ">recall", ">precision"]
    out.print(table("", titles, [*kinds, ("all", found["planted"], met, *total)]))
    names = ["input", "valid", "quarantined", "superseded"]
    rows = [[row["dataset"], *(row[n] for n in names), row["as_promised"]] for row in found["rows"]]
    titles = ["dataset", ">rows in", ">valid", ">quarantined", ">superseded", "as the source says"]
    out.print(table("", titles, rows))
    for problem in found["problems"][:SHOWN]:
        out.print(problem, markup=False)
    if len(found["problems"]) > SHOWN:
        out.print(f"{len(found['problems']) - SHOWN} more; --json lists all")
    verdict = (
        f"recall {total[0]}, precision {total[1]}: every fault was met as promised, no good row hurt"
        if found["passed"]
        else f"recall {total[0]}, precision {total[1]}: {len(found['problems'])} not as promised. "
        f"Where files wait, `lakehouse run {found['domain']}` first"
    )
    out.print(f"through {found['through']}: {verdict}", markup=False)


def _share(part: float) -> str:
    """Return a share in per cent; only the whole is 100."""
    return "100 %" if part == 1 else f"{min(part * 100, 99.99):.2f} %"


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "audit", epilog=examples("lakehouse audit {domain}", "lakehouse audit {domain} --json")
    )(_audit)
