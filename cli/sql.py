"""The verb `sql`: one read-only query over published tables."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.output import Progress, emit, stdout, table
from lakehouse.formatting import show
from operations.query import DEFAULT_LIMIT, QueryResult, frame, run_query

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: QueryResult) -> None:
    numbers = ("decimal", "double", "float", "int", "bigint", "smallint", "tinyint")
    names = [f">{name}" if kind.startswith(numbers) else name for name, kind in result.columns]
    rows = [[_text(value) for value in row] for row in result.rows]
    out.print(table("", names, rows))
    count = len(result.rows)
    more = "; there are more: --limit 0 shows all" if result.more else ""
    out.print(f"{count:,} row{'' if count == 1 else 's'}{more}")


def _text(value: Any) -> str:
    """Return a value's text: numbers without separators, since one may be a key; instants in UTC."""
    if value is None:
        return "null"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").replace("+00:00", "Z")
    return show(value)


def _command(
    query: Annotated[
        str, typer.Argument(help="select, with or describe over <layer>.<domain>__<table>.")
    ],
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=0,
            help=f"Rows shown, 0 for all; {DEFAULT_LIMIT} unless --csv or --out.",
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Write the rows to a .parquet or .csv file.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run one query that reads; gold tables are read as they were last published."""
    if as_csv and json:
        raise typer.BadParameter("--csv and --json exclude each other")
    if out is not None and out.suffix not in (".parquet", ".csv"):
        raise typer.BadParameter(
            f"'{out.name}' ends neither in .parquet nor in .csv", param_hint="--out"
        )
    from operations.result_file import write_csv, write_file

    settings = read_settings()
    with Progress() as progress:
        progress("starting Spark")
        rows = frame(settings, query)
        progress("querying")
        limited = rows.limit(limit) if limit else rows
        if out is not None:
            emit({"file": str(out), "rows": write_file(limited, out)}, json)
        elif as_csv:
            write_csv(limited, stdout(), settings.home)
        else:
            result = run_query(rows, DEFAULT_LIMIT if limit is None else limit)
            emit(result.to_dict() if json else result, json, _page)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        'lakehouse sql "select count(*) as n from bronze.{domain}__{dataset}"',
        'lakehouse sql "select * from bronze.{domain}__{dataset}" --limit 5 --json',
        'lakehouse sql "select * from bronze.{domain}__{dataset}" --out {dataset}.parquet',
    )
    app.command("sql", epilog=examples(*lines))(_command)
