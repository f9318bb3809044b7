"""How much a run has before it, known without a JVM: it decides how well the JVM compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bronze.discovery import FileLog, pending_files
from lakehouse.storage.tables import Tables
from silver import pending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

# A million rows of ten columns are some ten megabytes of Parquet, and eight times that as text.
LITTLE = 2_000_000
TEXT = 8


def is_little(
    settings: Settings, domain: str, contracts: Mapping[str, Contract], layers: Sequence[str]
) -> bool:
    """Return whether what the layers have to carry is less than some 200,000 rows.

    Then starting costs more than carrying: most of the work is code that runs a few times, and a
    compiler that optimises it takes longer than it saves.
    """
    return all(_bytes(settings, domain, contracts, layer) < LITTLE for layer in layers)


def _bytes(settings: Settings, domain: str, contracts: Mapping[str, Contract], layer: str) -> int:
    tables = Tables.at(settings)
    if layer == "bronze":
        log = FileLog(tables, domain)
        files = [
            file
            for contract in contracts.values()
            if contract.capture
            for file in pending_files(settings, contract, log)
        ]
        return sum(f.size // (1 if f.path.endswith(".parquet") else TEXT) for f in files)
    if layer == "silver":
        return sum(
            pending.pending_bytes(tables, c) for c in contracts.values() if c.vault is not None
        )
    from gold import build

    return build.news(settings, domain)
