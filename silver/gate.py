"""The gate: cleanses and judges each bronze row in one pass, and names its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from contracts import gate, vault
from contracts.sql import literal, name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from contracts.model import Contract

IDENTITY = "_identity"
CARRIED = ("_op", "_sequence", "_source_ts", "_source", "_origin", "_batch", "_rescued")
TEXTS = "map<string,string>"


def judged(bronze: DataFrame, contract: Contract) -> DataFrame:
    """Return one row a bronze row: cleansed, with `_failures`, `_flags`, and its vault keys.

    `_failures` is null for a good row; `_row` is the row as it came, as text. `_identity` is a
    64-bit hash of key and position, by which repeated events are found.
    """
    typed = _in_contract_types(bronze, contract)
    cleansed = typed.select(
        *[F.expr(gate.cleansed(c)).alias(c.name) for c in contract.columns],
        *CARRIED,
        F.expr(_as_it_came(contract)).alias("_row"),
    )
    checked = cleansed.withColumns(
        {
            "_failures": F.expr(gate.failures(contract)),
            "_flags": F.expr(gate.flags(contract)),
        }
    )
    keys = vault.parent_key(contract) | vault.hub_keys(contract)
    identity = ", ".join(name(column) for column in (*contract.keys, "_sequence"))
    return checked.withColumns(
        {key: F.expr(expression) for key, expression in keys.items()}
        | {
            "_hashdiff": F.expr(vault.row_hash(contract)),
            IDENTITY: F.expr(f"xxhash64({identity})"),
        }
    )


def _as_it_came(contract: Contract) -> str:
    pairs = ", ".join(f"{literal(c)}, cast({name(c)} as string)" for c in contract.names)
    rescued = f"coalesce(_rescued, cast(map() as {TEXTS}))"
    known = f"map_filter(map({pairs}), (k, v) -> v is not null)"
    # A value sits in its column or in `_rescued`, never in both.
    return f"map_concat({known}, {rescued})"


def _in_contract_types(bronze: DataFrame, contract: Contract) -> DataFrame:
    """Return the rows with each column in its contract's type, misfits moved to `_rescued`.

    Bronze keeps the type a column came with at first; a contract may have named it since.
    """
    kinds = {field.name: field.dataType.simpleString() for field in bronze.schema.fields}
    columns, misfits = {}, []
    for column in contract.columns:
        quoted, given = name(column.name), kinds.get(column.name)
        if given is None:
            columns[column.name] = F.lit(None).cast(column.type)
        elif given != column.type:
            columns[column.name] = F.expr(f"try_cast({quoted} as {column.type})")
            misfits.append((column.name, quoted, column.type))
    if misfits:
        pairs = ", ".join(
            f"case when {quoted} is not null and try_cast({quoted} as {kind}) is null "
            f"then struct({literal(label)}, cast({quoted} as string)) end"
            for label, quoted, kind in misfits
        )
        found = f"map_from_entries(array_compact(array({pairs})))"
        both = f"map_concat(coalesce(_rescued, cast(map() as {TEXTS})), {found})"
        columns["_rescued"] = F.expr(f"case when size({found}) = 0 then _rescued else {both} end")
    return bronze.withColumns(columns) if columns else bronze
