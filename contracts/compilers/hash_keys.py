"""Hash keys: how a business key is normalised, delimited and hashed, as SQL.

A value is normalised to a text that does not depend on the width of its type; the texts are joined
with their lengths and hashed with SHA-256 to 32 bytes. A null business key gets the ghost key, 32
zero bytes, which is the unknown member. The hashdiff is made the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.sql import literal, name
from contracts.types import decimal

if TYPE_CHECKING:
    from contracts.model.contract import Contract, Hub

GHOST = f"unhex('{'00' * 32}')"


def hub_keys(contract: Contract) -> dict[str, str]:
    """Return, by column name, the hash key of each hub; a null business key gets the ghost key."""
    assert contract.vault is not None
    return {f"{hub.name}_hk": _hub_key(contract, hub) for hub in contract.vault.hubs}


def _hub_key(contract: Contract, hub: Hub) -> str:
    columns = [(column, contract.column(column).type) for column in hub.columns]
    missing = " or ".join(f"{name(column)} is null" for column in hub.columns)
    return f"case when {missing} then {GHOST} else {hash_columns(columns)} end"


def parent_key(contract: Contract) -> dict[str, str]:
    """Return the hash key of a row: over the contract's primary key, or all its content.

    For a dataset that describes a hub this is the hub's own key.
    """
    assert contract.vault is not None
    if contract.vault.hubs and not contract.vault.link:
        return {}
    columns = [
        (column.name, column.type) for column in contract.columns if column.key or contract.keyless
    ]
    columns.sort(key=lambda named: contract.column(named[0]).key)
    return {f"{contract.vault.parent}_hk": hash_columns(columns)}


def row_key(contract: Contract, named: dict[str, str]) -> str:
    """Return the hash key of a row whose key columns have other names, as after a key change."""
    assert contract.vault is not None
    columns = contract.keys if contract.vault.link else contract.vault.hubs[0].columns
    return hash_columns([(named[column], contract.column(column).type) for column in columns])


def hashdiff(contract: Contract) -> str:
    """Return the hashdiff: the hash of all columns but the key, equal for events of equal content."""
    rest = [(column.name, column.type) for column in contract.columns if not column.key]
    return hash_columns(rest)


def hash_columns(columns: list[tuple[str, str]]) -> str:
    """Return the SHA-256, as 32 bytes, of the columns given as (name, type).

    Each part is written as `length:text`, a null as `-`, so no two different rows share an input.
    """
    parts: list[str] = []
    for column, kind in columns:
        text = normalised_text(column, kind)
        parts.append(f"coalesce(concat(char_length({text}), ':', {text}), '-')")
    return f"unhex(sha2(concat({', '.join(parts) or literal('')}), 256))"


def normalised_text(column: str, kind: str) -> str:
    """Return the SQL of a value normalised for hashing: a text without the width of its type.

    1 as int and as bigint, 1.5 as decimal(3,1) and as decimal(10,2) have one text each.
    """
    if kind == "string":
        return name(column)
    if kind.startswith("decimal"):
        return _decimal_text(name(column), kind)
    if kind == "timestamp":
        return f"cast(unix_micros({name(column)}) as string)"
    if kind == "binary":
        return f"hex({name(column)})"
    if kind.startswith(("array", "map", "struct")):
        return f"to_json({name(column)})"
    return f"cast({name(column)} as string)"


def _decimal_text(number: str, kind: str) -> str:
    """Return a decimal's text with nine places and without an exponent.

    Outside ANSI mode, which any library in the process may leave, Spark writes 0E-9 for zero.
    """
    precision, scale = decimal(kind) or (38, 9)
    digits = precision - scale + 9
    if scale <= 6 and digits <= 18:
        # A long in memory, not a big number, which costs more. Only zero is too small for its text.
        wide = f"cast(cast({number} as decimal({digits},9)) as string)"
        return f"if({number} = 0, '0.000000000', {wide})"
    number = f"cast({number} as decimal(38,9))"
    billionths = f"cast(round(abs(cast({number} as double)) * 1e9) as int)"
    billionths = f"lpad(cast({billionths} as string), 3, '0')"
    small = f"concat(if({number} < 0, '-', ''), '0.000000', {billionths})"
    return f"if(abs({number}) < 0.000001BD, {small}, cast({number} as string))"
