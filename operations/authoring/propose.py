"""Proposes a contract's next version from the schema drift in bronze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def propose(
    settings: Settings, domain: str, dataset: str = "", *, write: bool = False
) -> list[dict[str, Any]]:
    """Return one proposal a drifted dataset: its columns, and the contract's new text.

    With `write` the files get that text; all other lines stay as they are.

    Raises:
        UsageError: no such dataset.
    """
    from bronze.schema_drift import drifted_columns
    from contracts.evolution.diff import raised
    from contracts.evolution.patch import Proposed, fragment, patched
    from contracts.parsing.load import load_domain
    from lakehouse.errors import UsageError
    from lakehouse.storage.tables import Tables

    contracts = load_domain(settings.contracts, domain)
    if dataset and dataset not in contracts:
        raise UsageError(f"no dataset '{dataset}' in '{domain}'; there is: {', '.join(contracts)}")
    tables, proposals = Tables.at(settings), []
    for name in [dataset] if dataset else contracts:
        contract = contracts[name]
        columns = drifted_columns(tables, contract) if contract.capture else []
        if not columns:
            continue
        proposed = [
            Proposed(c.name, c.type, "" if c.old else _note(c.rows, c.nulls), c.old)
            for c in columns
        ]
        path = settings.contracts / domain / contract.file.rpartition("/")[2]
        text = patched(path.read_text(encoding="utf-8"), proposed, contract.file)
        if write:
            path.write_text(text, encoding="utf-8")
        proposals.append(
            {
                "dataset": name,
                "file": contract.file,
                "version": contract.version,
                "new_version": raised(contract.version, "minor"),
                "columns": [column.to_dict() for column in columns],
                "fragment": "".join(fragment(column) for column in proposed if not column.old),
                "written": write,
            }
        )
    return proposals


def _note(rows: int, nulls: int) -> str:
    return f"{100 * nulls / rows:.0f} % of {rows:,} rows have none" if rows else "no row yet"
