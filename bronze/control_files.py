"""Reconciles landed files with the counts that their source states beside them."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from lakehouse.errors import ContractBreach, Violation

if TYPE_CHECKING:
    from pathlib import Path

    from bronze.discovery import LandedFile
    from contracts.model.contract import Contract
    from contracts.model.dataset_rule import DatasetRule
    from lakehouse.runs.ledger import Run


def reconcile(contract: Contract, found: list[LandedFile], root: Path, run: Run) -> None:
    """Compare the rows of each file with the count that its control file states.

    A rule's `control` is a path below the domain's landing folder, `{name}` in it the data file's
    name and `{stem}` that name without its ending; the control file is a JSON object with the
    count under `field`. A Parquet file tells its rows itself, of lines the filled ones count.

    Raises:
        ContractBreach: a count differs, or a control file is missing or states none.
    """
    for rule in contract.dataset_rules:
        if rule.metric != "reconciliation":
            continue
        said = [text for file in found if (text := _difference(rule, file, root))]
        if not said:
            continue
        broken = Violation(
            contract.dataset, "bronze", rule.label, "; ".join(said), count=len(said),
            table=f"bronze.{contract.domain}__{contract.dataset}", severity=rule.severity,
        )  # fmt: skip
        if rule.severity == "error":
            raise ContractBreach(
                f"{contract.dataset}: {broken.message}: nothing was loaded; ask the producer for the "
                "file and its count",
                [broken],
            )
        run.warnings.append(broken)


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
    rows = _rows(file)
    if rule.allows(rows - stated):
        return ""
    return f"{file.path} has {rows:,} rows, its source counted {stated:,} ({place})"


def _rows(file: LandedFile) -> int:
    if file.capture.format == "parquet":
        return pq.read_metadata(file.absolute).num_rows
    with file.absolute.open("rb") as lines:
        return sum(1 for line in lines if line.strip())
