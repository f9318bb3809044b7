"""Contracts: the one source of truth, loaded, checked and compiled.

`contracts.load("shop", "orders")` returns one; `contracts.pandera(contract)` is its schema for a
notebook or a producer's test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pandera.pandas as pa

    from contracts.model.contract import Contract


def load(domain: str, dataset: str, folder: Path | None = None) -> Contract:
    """Return one contract by name; see `contracts.parsing.load.load`."""
    from contracts.parsing.load import load as load_one

    return load_one(domain, dataset, folder)


def pandera(contract: Contract) -> pa.DataFrameSchema:
    """Return a contract as a Pandera schema, whose `validate` checks a pandas frame."""
    from contracts.compilers.pandera_schema import pandera_schema

    return pandera_schema(contract)
