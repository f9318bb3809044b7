"""Derives the dbt YAML of a domain from its contracts, and finds files that were edited by hand."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from operations.lineage import source_tables

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings

MARK = "by `lakehouse contracts derive`: do not edit"
SOURCES, MODELS = "_sources.yml", "_contracts.yml"
# Where versions before 0.2.0 wrote DDL and expectation suites
FORMER_FOLDER = "derived"
# Lines of a difference that are shown
SHOWN = 12


@dataclass(frozen=True)
class FileDifference:
    """One derived file that differs from its contracts; `status` is missing, differs or left over."""

    file: Path
    status: str
    diff: tuple[str, ...]


def derived(settings: Settings, domain: str) -> dict[Path, str]:
    """Return the text of every file that is derived from a domain's contracts.

    Raises:
        ContractError: a contract is wrong, or the domain's SQL reads a table that none makes.
    """
    import yaml

    from contracts.compilers.dbt_yaml import models, sources
    from contracts.parsing.load import load_domain

    contracts = load_domain(settings.contracts, domain)
    folder = settings.dbt_project / "models" / domain
    if not any(folder.rglob("*.sql")):
        return {}
    parts = {
        SOURCES: sources(contracts, source_tables(settings, domain)),
        MODELS: models(contracts),
    }
    mark = f"# Made from contracts/{domain}/*.yaml {MARK}.\n"
    return {
        folder / name: mark
        + yaml.safe_dump(
            part, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
        )
        for name, part in parts.items()
        if part.get("sources") or part.get("models")
    }


def differences(settings: Settings, domain: str) -> list[FileDifference]:
    """Return the derived files of a domain that differ from its contracts, in order."""
    texts, different = derived(settings, domain), []
    for file, text in texts.items():
        now = file.read_text(encoding="utf-8") if file.exists() else None
        if now is None:
            different.append(FileDifference(file, "missing", ()))
        elif now != text:
            lines = difflib.unified_diff(
                now.splitlines(), text.splitlines(), "as it is", "as derived", n=0, lineterm=""
            )
            different.append(FileDifference(file, "differs", tuple(lines)))
    different += [
        FileDifference(file, "left over", ()) for file in _left_over(settings, domain, set(texts))
    ]
    return sorted(different, key=lambda difference: difference.file)


def _left_over(settings: Settings, domain: str, derived_files: set[Path]) -> list[Path]:
    """Return the files that were derived once and follow from no contract any more."""
    folders = (
        settings.contracts / domain / FORMER_FOLDER,
        settings.dbt_project / "models" / domain,
    )
    files = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    return [
        path
        for path in files
        if path.is_file() and path not in derived_files and MARK in path.read_text(encoding="utf-8")
    ]


def derive(settings: Settings, domain: str = "", *, check: bool = False) -> dict[str, Any]:
    """Write the derived files that differ, or with `check` none; return them with their status."""
    chosen = [domain] if domain else domains(settings.contracts)
    different = [difference for name in chosen for difference in differences(settings, name)]
    if not check:
        texts = {file: text for name in chosen for file, text in derived(settings, name).items()}
        for difference in different:
            if difference.status == "left over":
                difference.file.unlink()
            else:
                difference.file.write_text(texts[difference.file], encoding="utf-8")
    return {
        "domains": chosen,
        "check": check,
        "files": [
            {"file": str(file.file), "status": file.status, "diff": list(file.diff)}
            for file in different
        ],
    }
