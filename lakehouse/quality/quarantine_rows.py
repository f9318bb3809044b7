"""Rows of quarantine tables: a rejected row as it came, why, and what became of it since.

A row is `open` until it goes through by a replay (`replayed`) or is given up (`expired`). Values of
personal columns are sealed, in the row and in its reasons; so is a line that could not be read, where
the dataset has such a column.
"""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model.contract import Contract
    from lakehouse.quality.sealing import Seal

# Tells a row as it came from every other one, whatever the contract says of it
ROW_ID = "_row_id"
OPEN, REPLAYED, EXPIRED = "open", "replayed", "expired"
# A line that could not be read at all, and its bytes where they are no text
LINE = ("_line", "_bytes")
ROW = pa.map_(pa.string(), pa.string())
FAILURES = pa.list_(
    pa.struct([("column", pa.string()), ("rule", pa.string()), ("value", pa.string())])
)
# What a replay or an expiry writes of a resolved row: by which run, when. Stored tables have these
# names since 0.1: renamed, they would lack the columns that a replay updates.
RESOLUTION = {"settled_batch": pa.int64(), "settled_at": pa.timestamp("us", tz="UTC")}


def sealed(rows: pa.Table, contract: Contract, seal: Seal | None) -> pa.Table:
    """Return quarantine rows with every personal value sealed, and an identity nobody can guess.

    Raises:
        LakehouseError: there is something to seal and no key.
    """
    if not contract.personal:
        return rows
    if seal is None:
        raise LakehouseError(f"{contract.dataset}: personal data would be kept open: no key")
    rows = _change_rows(rows, contract, seal.seal)
    if ROW_ID in rows.column_names:
        ids = [value and seal.fingerprint(value) for value in rows[ROW_ID].to_pylist()]
        at = rows.column_names.index(ROW_ID)
        rows = rows.set_column(at, ROW_ID, pa.array(ids, pa.string()))
    return rows


def unsealed(rows: pa.Table, contract: Contract, seal: Seal) -> pa.Table:
    """Return quarantine rows with the values as they came."""
    return _change_rows(rows, contract, seal.unseal)


def change_personal_values(
    row: dict[str, Any], contract: Contract, change: Callable[[str, str], str]
) -> Any:
    """Return a row with each personal value changed; `change` takes it, and its place."""
    hidden = contract.personal | set(LINE)

    def changed(label: str, value: str | None) -> str | None:
        # a failure of several columns names them all
        if value is None or not hidden.intersection(label.split(", ")):
            return value
        return change(value, f"{contract.domain}.{contract.dataset}.{label}")

    values, failures = row.get("row"), row.get("failures")
    return row | {
        "row": values and {label: changed(label, value) for label, value in dict(values).items()},
        "failures": failures
        and [f | {"value": changed(f["column"] or "", f["value"])} for f in failures],
    }


def _change_rows(rows: pa.Table, contract: Contract, change: Callable[[str, str], str]) -> pa.Table:
    kinds = {"row": ROW, "failures": FAILURES}
    there = {name: kind for name, kind in kinds.items() if name in rows.column_names}
    changed = [
        change_personal_values(row, contract, change)
        for row in rows.select(list(there)).to_pylist()
    ]
    for column, kind in there.items():
        values = [row[column] for row in changed]
        if column == "row":
            values = [value and list(value.items()) for value in values]
        at = rows.column_names.index(column)
        rows = rows.set_column(at, column, pa.array(values, kind))
    return rows
