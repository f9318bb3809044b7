"""The verb `contracts new`: a first contract from data, ready for review."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, known_domains, read_settings
from cli.output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from lakehouse.settings import Settings

NAME = re.compile(r"^[a-z][a-z0-9_]*$")


def new(
    settings: Settings,
    domain: str,
    dataset: str,
    source: str,
    *,
    table: str = "",
    write: bool = False,
) -> dict[str, Any]:
    """Return the drafted contract as YAML, its file, and what is to be reviewed; write it if asked.

    Raises:
        UsageError: the data cannot be read, a name is none, or there is such a contract already.
    """
    from contracts.evolution.draft import draft, review, written
    from contracts.parsing.load import load_domain, load_file
    from lakehouse.errors import UsageError
    from operations.authoring.profiling import profile

    for name in (domain, dataset):
        if not NAME.match(name) or "__" in name:
            raise UsageError(f"'{name}' is no name: small letters, digits and single underscores")
    file = settings.contracts / domain / f"{dataset}.yaml"
    if file.exists():
        raise UsageError(f"{file} is there already")
    known = domain in known_domains(settings.contracts)
    others = load_domain(settings.contracts, domain) if known else {}
    seen = profile(settings, source, table)
    text = written(draft(seen, domain, dataset, others), seen)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / domain / file.name
        trial.parent.mkdir()
        trial.write_text(text, encoding="utf-8")
        load_file(trial, domain)
    if write:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return {
        "file": str(file),
        "written": write,
        "rows": seen.rows,
        "keys": [list(key) for key in seen.keys],
        "personal": [column.name for column in seen.columns if column.personal],
        "review": review(seen),
        "contract": text,
    }


def _command(
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
    found = new(read_settings(), domain, dataset, source, table=table, write=write)
    emit(found, json, _page)


def _page(out: Console, found: dict[str, Any]) -> None:
    if not found["written"]:
        print(found["contract"], file=out.file, end="")
        return
    out.print(
        f"{found['file']}: drafted from {found['rows']:,} rows; to be reviewed:", markup=False
    )
    for line in found["review"]:
        out.print(line, markup=False)


def add_to(verb: typer.Typer) -> None:
    """Add the part to the verb `contracts`."""
    lines = (
        "lakehouse contracts new shop orders --from orders.csv",
        "lakehouse contracts new shop orders --from orders.parquet --write",
        "lakehouse contracts new shop orders --from jdbc:postgresql://127.0.0.1/shop --table public.orders",
    )
    verb.command("new", epilog=examples(*lines))(_command)
