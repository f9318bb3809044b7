"""Compares two versions of contracts: changes, what they break, and the version they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from operations.authoring import revisions

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.evolution.diff import Difference
    from lakehouse.settings import Settings


def between(old: str, new: str) -> list[Difference]:
    """Return the difference of two contracts, each given as a file or `REVISION:FILE`."""
    from contracts.evolution.diff import difference

    before, (after, document) = revisions.load(old)[0], revisions.load(new)
    return [difference(before, after, document)]


def against(folder: Path, revision: str, domain: str = "") -> tuple[list[Difference], list[str]]:
    """Return the differences of the working tree to a revision, and notes on unreadable old files."""
    from contracts.errors import ContractError
    from contracts.evolution.diff import difference, removed

    now = dict(revisions.read_all(folder, domain))
    datasets = {contract.dataset for contract, _ in now.values()}
    differences, notes = [], []
    for name in revisions.names_at(folder, revision, domain):
        try:
            old, _ = revisions.at(folder, revision, name)
        except ContractError as error:
            notes.append(f"{revision}: not compared: {str(error).splitlines()[0]}")
            continue
        if name in now:
            differences.append(difference(old, *now[name]))
        elif old.dataset not in datasets:
            differences.append(removed(old))
    return [dataset for dataset in differences if dataset.changes or dataset.goes_back], notes


def compare(settings: Settings, names: list[str], revision: str = "") -> dict[str, Any]:
    """Return all changes, the uses of removed columns, and whether all of it is allowed.

    Raises:
        UsageError: nothing to compare with, or no such file, domain or revision.
    """
    from lakehouse.errors import UsageError

    notes: list[str] = []
    if not revision:
        if len(names) != 2:
            raise UsageError("name two contracts, or --against REVISION")
        differences = between(*names)
    else:
        domain = names[0] if names else ""
        if len(names) > 1 or (domain and domain not in domains(settings.contracts)):
            raise UsageError(f"with --against name one domain, or none; not '{' '.join(names)}'")
        chosen = (
            revisions.earlier(settings.contracts) if revision == revisions.EARLIER else revision
        )
        if chosen is None:
            note = "contracts diff: no earlier revision to compare with, skipped"
            return {"against": None, "datasets": [], "uses": [], "notes": [note], "allowed": True}
        revision = chosen
        differences, notes = against(settings.contracts, revision, domain)
    uses = [use for dataset in differences for use in _uses(settings, dataset)]
    allowed = all(dataset.is_allowed for dataset in differences) and not uses
    return {
        "against": revision or None,
        "datasets": [_plain(dataset) for dataset in differences],
        "uses": uses,
        "notes": notes,
        "allowed": allowed,
    }


def _uses(settings: Settings, dataset: Difference) -> list[dict[str, Any]]:
    """Return the consumers of the columns that a dataset lost."""
    from operations.column_usage import column_uses

    gone = {change.gone for change in dataset.changes if change.gone}
    domain = dataset.file.partition("/")[0]
    if not gone or domain not in domains(settings.contracts) or not dataset.new_version:
        return []
    return column_uses(settings, domain, dataset.dataset, gone)


def _plain(dataset: Difference) -> dict[str, Any]:
    return {
        "dataset": dataset.dataset,
        "file": dataset.file,
        "old_version": dataset.old_version,
        "new_version": dataset.new_version,
        "needs": dataset.needs,
        "needed_version": dataset.needed_version,
        "goes_back": dataset.goes_back,
        "allowed": dataset.is_allowed,
        "changes": [change.to_dict() for change in dataset.changes],
    }


def problems(comparison: dict[str, Any]) -> list[str]:
    """Return the reasons for which the changes are not allowed, one a line, with file and line."""
    lines = []
    for dataset in comparison["datasets"]:
        if dataset["goes_back"]:
            versions = f"{dataset['old_version']} to {dataset['new_version']}"
            lines.append(f"{dataset['file']}:1: the version goes back from {versions}")
        if dataset["allowed"] or dataset["goes_back"]:
            continue
        lines += [
            f"{change['file']}:{change['line']}: breaking: {change['message']}; the version has to be "
            f"{dataset['needed_version']}, not {dataset['new_version'] or 'gone'}"
            for change in dataset["changes"]
            if change["breaking"]
        ]
    lines += [
        f"{use['file']}:{use['line']}:{use['position']}: {use['consumer']} uses "
        f"'{use['column']}', which {use['dataset']} no longer has"
        for use in comparison["uses"]
    ]
    return lines
