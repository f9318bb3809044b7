"""Key changes: a row whose primary key was changed ends under its old key and goes on under the new.

Debezium writes a key change as a delete of the old key and a create of the new one, whose header
names the key that the row had before (`_old_key` in bronze). Hubs, links and histories take these
as any other delete and create: there are two keys, and each has its own history. Only what the
create leaves unchanged is followed to the old key, by its hash (`_moved_from` of an event): see
`silver.unchanged_values`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from contracts.compilers import hash_keys
from contracts.sql import literal, name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from contracts.model.contract import Contract

OLD_KEY, MOVED_FROM = "_old_key", "_moved_from"


def old_key(bronze: DataFrame, contract: Contract) -> dict[str, Column]:
    """Return the key that a row had before its key was changed, typed, as columns `_old_<column>`."""
    has_old_key = OLD_KEY in bronze.columns
    return {
        f"_old_{column.name}": F.expr(
            f"try_cast({OLD_KEY}[{literal(column.name)}] as {column.type})"
            if has_old_key
            else f"cast(null as {column.type})"
        )
        for column in contract.columns
        if column.key
    }


def moved_from(contract: Contract) -> Column:
    """Return the hash of the key from which a change moved the row, null where it did not.

    It reads the columns that `old_key` adds.
    """
    if contract.keyless:
        return F.lit(None).cast("binary")
    old = {key: f"_old_{key}" for key in contract.keys}
    given = " and ".join(f"{name(column)} is not null" for column in old.values())
    return F.expr(f"case when {given} then {hash_keys.row_key(contract, old)} end")


def keys_of_one_row(pairs: Iterable[tuple[bytes, bytes | None]]) -> dict[bytes, bytes]:
    """Return, for each key, one key that stands for all keys that its row ever had.

    `pairs` are (key, key that it was moved from, None where it was not).
    """
    parent: dict[bytes, bytes] = {}

    def root(key: bytes) -> bytes:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for key, other in pairs:
        first, second = root(key), root(other or key)
        parent[second] = first
    return {key: root(key) for key in list(parent)}
