"""Reconciles landed files with the counts that their source states beside them."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bronze.readers import reader_of
from lakehouse.errors import ContractBreach, Violation

if TYPE_CHECKING:
    from pathlib import Path

    from bronze.discovery import LandedFile
    from contracts.model.contract import Contract
    from contracts.model.dataset_rule import DatasetRule
    from lakehouse.runs.ledger import Run


def reconcile(contract: Contract, files: list[LandedFile], root: Path, run: Run) -> None:
    """Compare the rows of each file with the count that its control file states.

    A rule's `control` is a path below the domain's landing folder, `{name}` in it the data file's
    name and `{stem}` that name without its ending; the control file is a JSON object with the
    count under `field`. The reader of a file counts its rows, or its lines that are not blank.

    Raises:
        ContractBreach: a count differs, or a control file is missing or states none.
    """
    for rule in contract.dataset_rules:
        if rule.metric != "reconciliation":
            continue
        differences = [text for file in files if (text := _difference(rule, file, root))]
        if not differences:
            continue
        violation = Violation(
            contract.dataset, "bronze", rule.label, "; ".join(differences), count=len(differences),
            table=f"bronze.{contract.domain}__{contract.dataset}", severity=rule.severity,
        )  # fmt: skip
        if rule.severity == "error":
            raise ContractBreach(
                f"{contract.dataset}: {violation.message}: nothing was loaded; ask the producer for the "
                "file and its count",
                [violation],
            )
        run.warnings.append(violation)


def _difference(rule: DatasetRule, file: LandedFile, root: Path) -> str:
    """Return what is wrong with one file, empty where its rows are what its source counted."""
    name = PurePosixPath(file.path)
    place = rule.control.format(name=name.name, stem=name.stem)
    try:
        stated = json.loads((root / place).read_text(encoding="utf-8"))[rule.field]
        stated = int(stated)
    except FileNotFoundError:
        return f"{file.path} has no control file {place}"
    except (ValueError, KeyError, TypeError):
        return f"{place} states no count under '{rule.field}' for {file.path}"
    rows = reader_of(file).count(file)
    if rule.allows(rows - stated):
        return ""
    return f"{file.path} has {rows:,} rows, its source counted {stated:,} ({place})"
