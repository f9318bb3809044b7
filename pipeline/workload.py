"""What a run has to process, from file names and table logs without a JVM.

`nothing_to_do` decides that a run ends at once; `is_small` decides how well the JVM compiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bronze import discovery
from lakehouse.storage.tables import Tables
from silver import pending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

# A million rows of ten columns are some ten megabytes of Parquet, and eight times that as text
SMALL_BYTES = 2_000_000
TEXT_FACTOR = 8


def is_pending(
    settings: Settings, domain: str, contracts: Mapping[str, Contract], layer: str
) -> bool:
    """Return whether a layer has new input: landed files, or versions of upstream tables."""
    tables = Tables.at(settings)
    if layer == "bronze":
        log = discovery.FileLog(tables, domain)
        return any(
            discovery.pending_files(settings, c, log) for c in contracts.values() if c.capture
        )
    if layer == "silver":
        vaulted = [c for c in contracts.values() if c.vault is not None]
        return any(
            consumed < newest
            for consumed, newest in (pending.consumed_and_newest(tables, c) for c in vaulted)
        )
    from gold import build

    return build.pending(settings, domain)


def nothing_to_do(
    settings: Settings, domain: str, contracts: Mapping[str, Contract], layers: Sequence[str]
) -> bool:
    """Return whether no layer has new input; a run then writes nothing and ends in seconds."""
    return not any(is_pending(settings, domain, contracts, layer) for layer in layers)


def is_small(
    settings: Settings, domain: str, contracts: Mapping[str, Contract], layers: Sequence[str]
) -> bool:
    """Return whether the pending input of every layer is less than some 200,000 rows.

    Starting then costs more than processing: most of the work is code that runs a few times, and
    a compiler that optimises it takes longer than it saves.
    """
    return all(_pending_bytes(settings, domain, contracts, layer) < SMALL_BYTES for layer in layers)


def _pending_bytes(
    settings: Settings, domain: str, contracts: Mapping[str, Contract], layer: str
) -> int:
    tables = Tables.at(settings)
    if layer == "bronze":
        from bronze.readers import text_bytes

        log = discovery.FileLog(tables, domain)
        files = [
            file
            for contract in contracts.values()
            if contract.capture
            for file in discovery.pending_files(settings, contract, log)
        ]
        return text_bytes(files) // TEXT_FACTOR
    if layer == "silver":
        return sum(
            pending.pending_bytes(tables, c) for c in contracts.values() if c.vault is not None
        )
    from gold import build

    return build.workload(settings, domain)
