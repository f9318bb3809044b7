"""The verb `contracts new`: a first contract from data, ready for review."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from lakehouse.settings import Settings

NAME = re.compile(r"^[a-z][a-z0-9_]*$")


def new(
    settings: Settings,
    domain: str,
    dataset: str,
    source: str,
    *,
    table: str = "",
    write: bool = False,
) -> dict[str, Any]:
    """Return the drafted contract as YAML, its file, and what is to be reviewed; write it if asked.

    Raises:
        UsageError: the data cannot be read, a name is none, or there is such a contract already.
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
        raise UsageError(f"{file} is there already")
    known = domain in domains(settings.contracts)
    others = load_domain(settings.contracts, domain) if known else {}
    seen = profile(settings, source, table)
    text = written(draft(seen, domain, dataset, others), seen)
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
        "rows": seen.rows,
        "keys": [list(key) for key in seen.keys],
        "personal": [column.name for column in seen.columns if column.personal],
        "review": review(seen),
        "contract": text,
    }
