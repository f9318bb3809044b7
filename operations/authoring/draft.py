"""Drafts a dataset's first contract from a profile of its data, for review."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from lakehouse.settings import Settings

NAME = re.compile(r"^[a-z][a-z0-9_]*$")


def new_contract(
    settings: Settings,
    domain: str,
    dataset: str,
    source: str,
    *,
    table: str = "",
    write: bool = False,
) -> dict[str, Any]:
    """Return the drafted contract as YAML, its file, and the points to review; with `write` write it.

    Raises:
        UsageError: the data cannot be read, a name is malformed, or the contract exists already.
    """
    from contracts.evolution.draft import draft, review, written
    from contracts.parsing.load import load_domain, load_file
    from lakehouse.errors import UsageError
    from operations.authoring.profiling import profile

    for name in (domain, dataset):
        if not NAME.match(name) or "__" in name:
            raise UsageError(f"'{name}' is no name: small letters, digits and single underscores")
    file = settings.contracts / domain / f"{dataset}.yaml"
    if file.exists():
        raise UsageError(f"{file} exists already")
    has_contracts = domain in domains(settings.contracts)
    others = load_domain(settings.contracts, domain) if has_contracts else {}
    profiled = profile(settings, source, table)
    text = written(draft(profiled, domain, dataset, others), profiled)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / domain / file.name
        trial.parent.mkdir()
        trial.write_text(text, encoding="utf-8")
        load_file(trial, domain)
    if write:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return {
        "file": str(file),
        "written": write,
        "rows": profiled.rows,
        "keys": [list(key) for key in profiled.keys],
        "personal": [column.name for column in profiled.columns if column.personal],
        "review": review(profiled),
        "contract": text,
    }
