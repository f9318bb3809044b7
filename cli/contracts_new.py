"""The verb `contracts new`: draft a contract from a file or a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.output import emit
from operations.authoring.draft import new_contract

if TYPE_CHECKING:
    from rich.console import Console


def _new(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Known or new.")],
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The new dataset's name.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="A CSV, Parquet or JSON lines file, a Delta folder, <layer>.<domain>__<table>, or a jdbc: URL.",
        ),
    ],
    table: Annotated[
        str,
        typer.Option(help="The table behind a JDBC URL; LAKEHOUSE_JDBC_USER and _PASSWORD log in."),
    ] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Write it among the contracts; print it otherwise.")
    ] = False,
    json: Json = False,
) -> None:
    """Draft a contract from data: types, bounds, allowed values, keys, what looks personal."""
    result = new_contract(read_settings(), domain, dataset, source, table=table, write=write)
    emit(result, json, _page)


def _page(out: Console, result: dict[str, Any]) -> None:
    if not result["written"]:
        print(result["contract"], file=out.file, end="")
        return
    out.print(
        f"{result['file']}: drafted from {result['rows']:,} rows; to be reviewed:", markup=False
    )
    for line in result["review"]:
        out.print(line, markup=False)


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `contracts`."""
    lines = (
        "lakehouse contracts new shop orders --from orders.csv",
        "lakehouse contracts new shop orders --from orders.parquet --write",
        "lakehouse contracts new shop orders --from jdbc:postgresql://127.0.0.1/shop --table public.orders",
    )
    verb.command("new", epilog=examples(*lines))(_new)
