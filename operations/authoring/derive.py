"""The verb `contracts derive`: everything that follows from contracts, written once by this alone."""

from __future__ import annotations

import difflib
import json as js
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

MARK = "by `lakehouse contracts derive`: do not edit"
FOLDER = "derived"
SOURCES, MODELS = "_sources.yml", "_contracts.yml"
# Lines of a difference that are shown
SHOWN = 12
_SOURCE = re.compile(r"""\bsource\(\s*["'](\w+)["']\s*,\s*["'](\w+)["']\s*\)""")


@dataclass(frozen=True)
class Difference:
    """One derived file that is not what its contracts say: changed, missing or left over."""

    file: Path
    what: str
    diff: tuple[str, ...]


def derived(settings: Settings, domain: str) -> dict[Path, str]:
    """Return the text of every file that follows from a domain's contracts.

    Raises:
        ContractError: a contract is wrong, or the domain's SQL reads a table that none makes.
    """
    from contracts.compilers.ddl import ddl
    from contracts.compilers.expectation_suite import suite_document
    from contracts.parsing.load import load_domain

    contracts = load_domain(settings.contracts, domain)
    found: dict[Path, str] = {}
    for dataset, contract in contracts.items():
        folder, mark = settings.contracts / domain / FOLDER, f"Made from {_of(contract)} {MARK}."
        statements = ddl(contract)
        if statements:
            found[folder / f"{dataset}.sql"] = f"-- {mark}\n\n{statements}\n"
        expected = suite_document(contract)
        expected["meta"]["made"] = mark
        found[folder / f"{dataset}.expectations.json"] = (
            js.dumps(expected, indent=2, ensure_ascii=False, default=str) + "\n"
        )
    return found | _dbt(settings, domain, contracts)


def _of(contract: Contract) -> str:
    return f"contracts/{contract.file} {contract.version}"


def _dbt(settings: Settings, domain: str, contracts: dict[str, Contract]) -> dict[Path, str]:
    import yaml

    from contracts.compilers.dbt_yaml import models, sources

    folder = settings.dbt_project / "models" / domain
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql"))]
    if not texts:
        return {}
    read = [f"{layer}.{table}" for text in texts for layer, table in _SOURCE.findall(text)]
    parts = {SOURCES: sources(contracts, read), MODELS: models(contracts)}
    mark = f"# Made from contracts/{domain}/*.yaml {MARK}.\n"
    return {
        folder / name: mark
        + yaml.safe_dump(
            part, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
        )
        for name, part in parts.items()
        if part.get("sources") or part.get("models")
    }


def differences(settings: Settings, domain: str) -> list[Difference]:
    """Return the derived files of a domain that are not what the contracts say, in order."""
    wanted, found = derived(settings, domain), []
    for file, text in wanted.items():
        now = file.read_text(encoding="utf-8") if file.exists() else None
        if now != text:
            what = "missing" if now is None else "differs"
            lines = [] if now is None else difflib.unified_diff(
                now.splitlines(), text.splitlines(), "as it is", "as derived", n=0, lineterm=""
            )  # fmt: skip
            found.append(Difference(file, what, tuple(lines)))
    found += [Difference(file, "left over", ()) for file in _made(settings, domain, set(wanted))]
    return sorted(found, key=lambda difference: difference.file)


def _made(settings: Settings, domain: str, wanted: set[Path]) -> list[Path]:
    """Return the files that were derived once and follow from no contract any more."""
    folders = (settings.contracts / domain / FOLDER, settings.dbt_project / "models" / domain)
    files = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    return [
        path
        for path in files
        if path.is_file() and path not in wanted and MARK in path.read_text(encoding="utf-8")
    ]


def derive(settings: Settings, domain: str = "", *, check: bool = False) -> dict[str, Any]:
    """Write what differs, or with `check` only say so; return the files by what became of them."""
    chosen = [domain] if domain else domains(settings.contracts)
    found = [difference for name in chosen for difference in differences(settings, name)]
    for difference in [] if check else found:
        if difference.what == "left over":
            difference.file.unlink()
    if not check:
        for name in chosen:
            texts = derived(settings, name)
            for difference in found:
                if difference.file in texts:
                    difference.file.parent.mkdir(parents=True, exist_ok=True)
                    difference.file.write_text(texts[difference.file], encoding="utf-8")
    return {
        "domains": chosen,
        "check": check,
        "files": [
            {"file": str(each.file), "what": each.what, "diff": list(each.diff)} for each in found
        ],
    }
