"""The verb `contracts diff`: what changed, what breaks by it, and which version that calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from operations.authoring import revisions

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.evolution.diff import Difference
    from lakehouse.settings import Settings


def between(old: str, new: str) -> list[Difference]:
    """Return what differs between two contracts, each a file or `REVISION:FILE`."""
    from contracts.evolution.diff import difference

    before, (after, document) = revisions.load(old)[0], revisions.load(new)
    return [difference(before, after, document)]


def against(folder: Path, revision: str, domain: str = "") -> tuple[list[Difference], list[str]]:
    """Return what differs in the working tree, and which old files cannot be read any more."""
    from contracts.errors import ContractError
    from contracts.evolution.diff import difference, removed

    now = dict(revisions.read_all(folder, domain))
    datasets = {contract.dataset for contract, _ in now.values()}
    found, notes = [], []
    for name in revisions.names_at(folder, revision, domain):
        try:
            old, _ = revisions.at(folder, revision, name)
        except ContractError as error:
            notes.append(f"{revision}: not compared: {str(error).splitlines()[0]}")
            continue
        if name in now:
            found.append(difference(old, *now[name]))
        elif old.dataset not in datasets:
            found.append(removed(old))
    return [each for each in found if each.changes or each.goes_back], notes


def compare(settings: Settings, names: list[str], revision: str = "") -> dict[str, Any]:
    """Return all changes, the uses of columns that are gone, and whether all of it is allowed.

    Raises:
        UsageError: nothing to compare with, or no such file, domain or revision.
    """
    from lakehouse.errors import UsageError

    notes: list[str] = []
    if not revision:
        if len(names) != 2:
            raise UsageError("name two contracts, or --against REVISION")
        found = between(*names)
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
        found, notes = against(settings.contracts, revision, domain)
    uses = [use for each in found for use in _uses(settings, each)]
    allowed = all(each.is_allowed for each in found) and not uses
    return {
        "against": revision or None,
        "datasets": [_plain(each) for each in found],
        "uses": uses,
        "notes": notes,
        "allowed": allowed,
    }


def _uses(settings: Settings, each: Difference) -> list[dict[str, Any]]:
    """Return who still names the columns that a dataset has no more."""
    from operations.column_usage import uses

    gone = {change.gone for change in each.changes if change.gone}
    domain = each.file.partition("/")[0]
    if not gone or domain not in domains(settings.contracts) or not each.new_version:
        return []
    return uses(settings, domain, each.dataset, gone)


def _plain(each: Difference) -> dict[str, Any]:
    return {
        "dataset": each.dataset,
        "file": each.file,
        "old_version": each.old_version,
        "new_version": each.new_version,
        "needs": each.needs,
        "needed_version": each.needed_version,
        "goes_back": each.goes_back,
        "allowed": each.is_allowed,
        "changes": [change.to_dict() for change in each.changes],
    }


def problems(found: dict[str, Any]) -> list[str]:
    """Return one line a reason for which the changes are not allowed, with file and line."""
    lines = []
    for each in found["datasets"]:
        if each["goes_back"]:
            versions = f"{each['old_version']} to {each['new_version']}"
            lines.append(f"{each['file']}:1: the version goes back from {versions}")
        if each["allowed"] or each["goes_back"]:
            continue
        lines += [
            f"{change['file']}:{change['line']}: breaking: {change['message']}; the version has to be "
            f"{each['needed_version']}, not {each['new_version'] or 'gone'}"
            for change in each["changes"]
            if change["breaking"]
        ]
    lines += [
        f"{use['file']}:{use['line']}:{use['position']}: {use['consumer']} uses "
        f"'{use['column']}', which {use['dataset']} has no more"
        for use in found["uses"]
    ]
    return lines
