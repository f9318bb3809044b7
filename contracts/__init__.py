"""Contracts: the one source of truth, loaded, checked and compiled.

`contracts.load("shop", "orders")` returns one; its `pandera()` is a schema for a notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model.contract import Contract


def load(domain: str, dataset: str, folder: Path | None = None) -> Contract:
    """Return one contract by name; see `contracts.parsing.load.load`."""
    from contracts.parsing.load import load as load_one

    return load_one(domain, dataset, folder)
