"""The names of the domains that have contracts, listed without loading a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def domains(folder: Path) -> list[str]:
    """Return the domains that have contracts in a folder, sorted; none where it does not exist."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if any(path.glob("*.yaml")))
