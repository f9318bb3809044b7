"""The fault audit: compares every planted fault of a manifest with its outcome in the tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contracts.parsing.load import load_domain
from lakehouse.errors import LakehouseError
from lakehouse.quality.fault_manifest import path_of, read
from lakehouse.quality.sealing import Seal
from lakehouse.runs.ledger import Ledger
from lakehouse.storage.tables import Tables
from operations.fault_evidence import StoredFiles, StoredRows

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.quality.fault_manifest import Fault, Manifest
    from lakehouse.settings import Settings

GOOD_ROWS = "good rows"
NUMBERS = ("planted", "met", "false_positives")
COUNTS = ("input", "valid", "quarantined", "superseded")


@dataclass
class FaultKind:
    """One kind of fault: how many were planted and handled as promised, and the false positives."""

    kind: str
    planted: int = 0
    met: int = 0
    false_positives: int = 0

    @property
    def recall(self) -> float:
        """Return the share of planted faults with the promised outcome."""
        return self.met / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Return the share of planted faults among all rows and files that were treated as faults."""
        treated = self.met + self.false_positives
        return self.met / treated if treated else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the kind as plain values."""
        return {
            "kind": self.kind, "planted": self.planted, "met": self.met,
            "recall": self.recall, "precision": self.precision,
        }  # fmt: skip


@dataclass
class FaultAudit:
    """The outcome of every planted fault, and of all good rows."""

    domain: str
    through: str
    kinds: dict[str, FaultKind] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def count_fault(self, fault: Fault, problem: str) -> None:
        """Count a planted fault; `problem` is its deviation from the promise, empty where there is none."""
        kind = self.kinds.setdefault(fault.kind, FaultKind(fault.kind))
        kind.planted += 1
        kind.met += not problem
        if problem:
            place = f"{fault.kind}, {fault.dataset}, {fault.day} ({fault.description})"
            self.problems.append(f"{place}: {problem}")

    def false_positive(self, kind: str, problem: str) -> None:
        """Count a rejected row, skipped file or stopped run that no planted fault explains."""
        self.kinds.setdefault(kind, FaultKind(kind)).false_positives += 1
        self.problems.append(problem)

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain values."""
        kinds = [self.kinds[name] for name in sorted(self.kinds)]
        total = FaultKind("all", *(sum(getattr(k, name) for k in kinds) for name in NUMBERS))
        return {
            "domain": self.domain, "through": self.through, "passed": not self.problems,
            "recall": total.recall, "precision": total.precision, "planted": total.planted,
            "kinds": [kind.to_dict() for kind in kinds], "rows": self.rows,
            "problems": self.problems,
        }  # fmt: skip


def audit(settings: Settings, domain: str) -> FaultAudit:
    """Return the comparison of a domain's tables with the manifest of its planted faults.

    Raises:
        UsageError: no faults were planted.
        LakehouseError: the manifest was changed, or names a dataset without a contract.
    """
    manifest = read(path_of(settings.landing / domain))
    contracts, tables = load_domain(settings.contracts, domain), Tables.at(settings)
    named = {fault.dataset for fault in manifest.faults} | manifest.expected.keys()
    if unknown := sorted(name for name in named if name not in contracts):
        raise LakehouseError(f"{domain}: no contract for {', '.join(unknown)}, which had faults")
    outcome = FaultAudit(domain, manifest.through)
    files = StoredFiles.of(tables, [contracts[name] for name in sorted(named)])
    for name in sorted(named):
        seal = Seal.at(settings) if contracts[name].personal else None
        _dataset(outcome, manifest, tables, contracts[name], files, seal)
    _unplanned(outcome, manifest, tables, files)
    return outcome


def _dataset(
    outcome: FaultAudit,
    manifest: Manifest,
    tables: Tables,
    contract: Contract,
    files: StoredFiles,
    seal: Seal | None,
) -> None:
    faults = [fault for fault in manifest.faults if fault.dataset == contract.dataset]
    expected = manifest.expected.get(contract.dataset)
    stored = StoredRows(tables, contract, faults, expected.contested if expected else (), seal=seal)
    for fault in faults:
        outcome.count_fault(fault, _deviation(fault, stored, files, manifest.through))
    for number, row in enumerate(stored.quarantine):
        if number not in stored.explained:
            reasons = ", ".join(f"{column}: {rule}" for column, rule in sorted(row["reasons"]))
            alike = [f.kind for f in faults if (f.column, f.rule) in row["reasons"]]
            outcome.false_positive(
                alike[0] if alike else GOOD_ROWS,
                f"{contract.dataset}: a row of {row['_source']} at {row['_sequence']} is in "
                f"quarantine ({reasons}), but no fault was planted there",
            )
    if expected is None:
        return
    counts = stored.counts()
    counts["superseded"] = counts["input"] - counts["valid"] - counts["quarantined"]
    wrong = [name for name in COUNTS if counts[name] != getattr(expected, name)]
    same = stored.digest() == expected.digest
    outcome.rows.append({"dataset": contract.dataset, **counts, "as_promised": same and not wrong})
    if wrong or not same:
        parts = [f"{name} {counts[name]:,}, not {getattr(expected, name):,}" for name in wrong]
        parts += [] if same else ["the valid events differ from the source's"]
        outcome.false_positive(GOOD_ROWS, f"{contract.dataset}: {'; '.join(parts)}")


def _deviation(fault: Fault, stored: StoredRows, files: StoredFiles, through: str) -> str:
    """Return the deviation of a fault's outcome from its promise, empty where there is none."""
    unsent = bool(fault.due) and fault.due > through
    return {
        "quarantined": _quarantined, "superseded": _superseded, "contradicted": _contradicted,
        "valid": _valid, "once": _loaded_once, "replaced": _replaced, "late": _late,
    }[fault.promise](fault, stored, files, unsent)  # fmt: skip


def _quarantined(fault: Fault, stored: StoredRows, _: StoredFiles, unsent: bool) -> str:
    rows = stored.quarantined(fault)
    stored.explained |= set(rows)
    if unsent and not rows:
        return ""
    if len(rows) != 1:
        return f"{len(rows)} rows in quarantine with {fault.column}: {fault.rule}, not 1"
    return "it is an event in silver, too" if stored.events.get(fault.position) else ""


def _superseded(fault: Fault, stored: StoredRows, _: StoredFiles, unsent: bool) -> str:
    copies = len(stored.bronze[fault.position])
    if copies != fault.times - unsent:
        return f"bronze has it {copies} times, not {fault.times - unsent}"
    return _one_event(fault, stored)


def _contradicted(fault: Fault, stored: StoredRows, _: StoredFiles, unsent: bool) -> str:
    rows = stored.quarantined(fault)
    stored.explained |= set(rows)
    events = stored.events[fault.position]
    if [row["content"] in fault.contents for row in events] != [True]:
        return f"{len(events)} events at its place, none or not one of the two"
    return "" if len(rows) == 1 - unsent else f"{len(rows)} rows in quarantine, not {1 - unsent}"


def _valid(fault: Fault, stored: StoredRows, _: StoredFiles, unsent: bool) -> str:
    if unsent:
        return "it is there before it was sent" if stored.events[fault.position] else ""
    return _one_event(fault, stored) or _flagged(fault, stored) or _around(fault, stored)


def _flagged(fault: Fault, stored: StoredRows) -> str:
    flags = set(stored.events[fault.position][0].get("_flags") or ())
    if flags.issuperset(fault.flags):
        return ""
    return f"flagged {sorted(flags)}, not {sorted(fault.flags)}"


def _around(fault: Fault, stored: StoredRows) -> str:
    """Return the deviation of the key's history, of bronze or of a published row."""
    for history in fault.histories:
        if (events := stored.history(history["key"])) != history["events"]:
            return f"the history of {history['key']} is {events}, not {history['events']}"
    for column, value in (fault.unknown_columns or {}).items():
        if [row.get(column) for row in stored.bronze[fault.position]] != [value]:
            return f"bronze lacks {column} = {value}"
    if fault.row and not stored.has_row(fault.row):
        return f"{fault.row['table']} has no one row {fault.row['where']} with {fault.row['has']}"
    return ""


def _one_event(fault: Fault, stored: StoredRows) -> str:
    events = stored.events[fault.position]
    if [row["content"] for row in events] != [fault.content]:
        return f"{len(events)} events at its place, not the 1 that was sent"
    return ""


def _loaded_once(fault: Fault, _: StoredRows, files: StoredFiles, unsent: bool) -> str:
    loaded = len(files.loaded.get(fault.sha256, ()))
    skipped = len(files.skipped.get(fault.sha256, ()))
    if (loaded, skipped) == (1, fault.times - 1 - unsent):
        return ""
    return f"its content was loaded {loaded} times and skipped {skipped} times"


def _replaced(fault: Fault, _: StoredRows, files: StoredFiles, unsent: bool) -> str:
    if fault.sha256 in files.loaded:
        return f"the broken {fault.file} was loaded"
    return "" if unsent else _file(fault.file, fault.good, files)


def _late(fault: Fault, _: StoredRows, files: StoredFiles, unsent: bool) -> str:
    if unsent:
        return f"{fault.file} is there before it was sent" if fault.sha256 in files.loaded else ""
    return _file(fault.file, fault.sha256, files)


def _file(path: str, sha256: str, files: StoredFiles) -> str:
    loaded = [entry.path for entry in files.loaded.get(sha256, ())]
    return "" if loaded == [path] else f"{path} was not loaded"


def _unplanned(outcome: FaultAudit, manifest: Manifest, tables: Tables, files: StoredFiles) -> None:
    """Count skipped files and stopped datasets that no fault explains as false positives."""
    twins = {fault.sha256 for fault in manifest.faults if fault.promise == "once"}
    for sha256, entries in files.skipped.items():
        for entry in entries if sha256 not in twins else ():
            outcome.false_positive(
                GOOD_ROWS, f"{entry.path} was skipped, but it repeats no planted file"
            )
    broken = {f.file: f.kind for f in manifest.faults if f.promise == "replaced"}
    for step in Ledger(tables).steps(manifest.domain):
        if step["status"] == "breach" and not any(path in step["message"] for path in broken):
            outcome.false_positive(GOOD_ROWS, f"run {step['run']} stopped: {step['message']}")
