"""The verb `contracts propose`: what bronze holds and the contract does not say, as a change of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, read_settings
from cli.output import emit, table

if TYPE_CHECKING:
    from rich.console import Console

    from lakehouse.settings import Settings


def propose(
    settings: Settings, domain: str, dataset: str = "", *, write: bool = False
) -> list[dict[str, Any]]:
    """Return one row a dataset that has something to say: its columns, and the contract's new text.

    With `write` the files get that text; everything in them that is not concerned stays as it is.

    Raises:
        UsageError: no such dataset.
    """
    from bronze.extra import beyond
    from contracts.evolution.diff import raised
    from contracts.evolution.patch import Proposed, fragment, patched
    from contracts.parsing.load import load_domain
    from lakehouse.errors import UsageError
    from lakehouse.storage.tables import Tables

    contracts = load_domain(settings.contracts, domain)
    if dataset and dataset not in contracts:
        raise UsageError(f"no dataset '{dataset}' in '{domain}'; there is: {', '.join(contracts)}")
    tables, found = Tables.at(settings), []
    for name in [dataset] if dataset else contracts:
        contract = contracts[name]
        columns = beyond(tables, contract) if contract.capture else []
        if not columns:
            continue
        wanted = [
            Proposed(c.name, c.type, "" if c.old else _note(c.rows, c.nulls), c.old)
            for c in columns
        ]
        path = settings.contracts / domain / contract.file.rpartition("/")[2]
        text = patched(path.read_text(encoding="utf-8"), wanted, contract.file)
        if write:
            path.write_text(text, encoding="utf-8")
        found.append(
            {
                "dataset": name,
                "file": contract.file,
                "version": contract.version,
                "new_version": raised(contract.version, "minor"),
                "columns": [column.to_dict() for column in columns],
                "fragment": "".join(fragment(each) for each in wanted if not each.old),
                "written": write,
            }
        )
    return found


def _note(rows: int, nulls: int) -> str:
    return f"{100 * nulls / rows:.0f} % of {rows:,} rows have none" if rows else "no row yet"


def _page(out: Console, found: dict[str, Any]) -> None:
    if not found["proposals"]:
        out.print("bronze holds nothing that the contracts do not say")
        return
    for each in found["proposals"]:
        rows = [
            [c["column"], f"{c['old_type']} to {c['type']}" if c["old_type"] else c["type"],
             c["rows"], f"{100 * c['null_share']:.0f} %", ", ".join(c["shapes"])]
            for c in each["columns"]
        ]  # fmt: skip
        title = f"{each['file']}: {each['version']} to {each['new_version']}"
        out.print(table(title, ["column", "type", ">rows", ">null", "looks like"], rows))
        print(each["fragment"], end="", file=out.file)
        if each["written"]:
            out.print(f"{each['file']} written: describe what is new, then review", markup=False)
    if not found["proposals"][0]["written"]:
        out.print("--write puts this into the files")


def command(
    domain: Domain,
    dataset: Annotated[
        str, typer.Argument(help="A dataset of the domain; all of them when left out.")
    ] = "",
    write: Annotated[bool, typer.Option("--write", help="Change the contract files.")] = False,
    json: Json = False,
) -> None:
    """Propose a contract's next version for what its source sends now: new columns, wider types."""
    emit({"proposals": propose(read_settings(), domain, dataset, write=write)}, json, _page)
