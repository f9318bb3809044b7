"""Promises: whether what a manifest promises of a planted fault is what the tables hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contracts.parsing.load import load_domain
from lakehouse.errors import LakehouseError
from lakehouse.quality.fault_manifest import path_of, read
from lakehouse.quality.sealing import Seal
from lakehouse.runs.ledger import Ledger
from lakehouse.storage.tables import Tables
from operations.fault_evidence import Evidence, Files

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.quality.fault_manifest import Fault, Manifest
    from lakehouse.settings import Settings

GOOD_ROWS = "good rows"
COUNTS = ("input", "valid", "quarantined", "superseded")


@dataclass
class Kind:
    """One kind of fault: how many were planted and met, and what was done to rows that are none."""

    kind: str
    planted: int = 0
    met: int = 0
    hurt: int = 0

    @property
    def recall(self) -> float:
        """Return the share of planted faults that were met as promised."""
        return self.met / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Return the share of faults among all that was treated as one."""
        return self.met / (self.met + self.hurt) if self.met + self.hurt else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the kind as plain values."""
        return {
            "kind": self.kind, "planted": self.planted, "met": self.met,
            "recall": self.recall, "precision": self.precision,
        }  # fmt: skip


@dataclass
class Audit:
    """What became of every planted fault, and of all rows that are none."""

    domain: str
    through: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def count(self, fault: Fault, problem: str) -> None:
        """Count a planted fault; `problem` says what is not as promised, empty where all is."""
        kind = self.kinds.setdefault(fault.kind, Kind(fault.kind))
        kind.planted += 1
        kind.met += not problem
        if problem:
            self.problems.append(
                f"{fault.kind}, {fault.dataset}, {fault.day} ({fault.description}): {problem}"
            )

    def hurt(self, kind: str, problem: str) -> None:
        """Count something that was done and that no planted fault explains."""
        self.kinds.setdefault(kind, Kind(kind)).hurt += 1
        self.problems.append(problem)

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain values."""
        kinds = [self.kinds[name] for name in sorted(self.kinds)]
        total = Kind(
            "all", *(sum(getattr(k, n) for k in kinds) for n in ("planted", "met", "hurt"))
        )
        return {
            "domain": self.domain, "through": self.through, "passed": not self.problems,
            "recall": total.recall, "precision": total.precision, "planted": total.planted,
            "kinds": [kind.to_dict() for kind in kinds], "rows": self.rows,
            "problems": self.problems,
        }  # fmt: skip


def audit(settings: Settings, domain: str) -> Audit:
    """Return how a domain's tables compare with the manifest of its planted faults.

    Raises:
        UsageError: no faults were planted.
        LakehouseError: the manifest was changed, or names what has no contract.
    """
    manifest = read(path_of(settings.landing / domain))
    contracts, tables = load_domain(settings.contracts, domain), Tables.at(settings)
    named = {fault.dataset for fault in manifest.faults} | manifest.expected.keys()
    if lost := sorted(name for name in named if name not in contracts):
        raise LakehouseError(f"{domain}: no contract for {', '.join(lost)}, which had faults")
    found = Audit(domain, manifest.through)
    files = Files.of(tables, [contracts[name] for name in sorted(named)])
    for name in sorted(named):
        seal = Seal.at(settings) if contracts[name].personal else None
        _dataset(found, manifest, tables, contracts[name], files, seal)
    _files_and_breaches(found, manifest, tables, files)
    return found


def _dataset(
    found: Audit,
    manifest: Manifest,
    tables: Tables,
    contract: Contract,
    files: Files,
    seal: Seal | None,
) -> None:
    faults = [fault for fault in manifest.faults if fault.dataset == contract.dataset]
    expected = manifest.expected.get(contract.dataset)
    evidence = Evidence(tables, contract, faults, expected.contested if expected else (), seal=seal)
    for fault in faults:
        found.count(fault, _broken(fault, evidence, files, manifest.through))
    for number, row in enumerate(evidence.quarantine):
        if number not in evidence.explained:
            reasons = ", ".join(f"{column}: {rule}" for column, rule in sorted(row["reasons"]))
            alike = [f.kind for f in faults if (f.column, f.rule) in row["reasons"]]
            found.hurt(
                alike[0] if alike else GOOD_ROWS,
                f"{contract.dataset}: a row of {row['_source']} at {row['_sequence']} is in "
                f"quarantine ({reasons}), but no fault was planted there",
            )
    if expected is None:
        return
    counts = evidence.counts()
    counts["superseded"] = counts["input"] - counts["valid"] - counts["quarantined"]
    wrong = [name for name in COUNTS if counts[name] != getattr(expected, name)]
    same = evidence.digest() == expected.digest
    found.rows.append({"dataset": contract.dataset, **counts, "as_promised": same and not wrong})
    if wrong or not same:
        parts = [f"{name} {counts[name]:,}, not {getattr(expected, name):,}" for name in wrong]
        parts += [] if same else ["the valid events differ from the source's"]
        found.hurt(GOOD_ROWS, f"{contract.dataset}: {'; '.join(parts)}")


def _broken(fault: Fault, evidence: Evidence, files: Files, through: str) -> str:
    """Return what is not as promised, empty where all is."""
    held = bool(fault.due) and fault.due > through
    return {
        "quarantined": _quarantined, "superseded": _superseded, "contradicted": _contradicted,
        "valid": _valid, "once": _once, "replaced": _replaced, "late": _late,
    }[fault.promise](fault, evidence, files, held)  # fmt: skip


def _quarantined(fault: Fault, evidence: Evidence, _: Files, held: bool) -> str:
    rows = evidence.quarantined(fault)
    evidence.explained |= set(rows)
    if held and not rows:
        return ""
    if len(rows) != 1:
        return f"{len(rows)} rows in quarantine with {fault.column}: {fault.rule}, not 1"
    return "it is an event all the same" if evidence.events.get(fault.position) else ""


def _superseded(fault: Fault, evidence: Evidence, _: Files, held: bool) -> str:
    copies = len(evidence.bronze[fault.position])
    if copies != fault.times - held:
        return f"bronze has it {copies} times, not {fault.times - held}"
    return _one(fault, evidence)


def _contradicted(fault: Fault, evidence: Evidence, _: Files, held: bool) -> str:
    rows = evidence.quarantined(fault)
    evidence.explained |= set(rows)
    events = evidence.events[fault.position]
    if [row["content"] in fault.contents for row in events] != [True]:
        return f"{len(events)} events at its place, none or not one of the two"
    return "" if len(rows) == 1 - held else f"{len(rows)} rows in quarantine, not {1 - held}"


def _valid(fault: Fault, evidence: Evidence, _: Files, held: bool) -> str:
    if held:
        return "it is there before it was sent" if evidence.events[fault.position] else ""
    return _one(fault, evidence) or _flagged(fault, evidence) or _around(fault, evidence)


def _flagged(fault: Fault, evidence: Evidence) -> str:
    flags = set(evidence.events[fault.position][0].get("_flags") or ())
    if flags.issuperset(fault.flags):
        return ""
    return f"flagged {sorted(flags)}, not {sorted(fault.flags)}"


def _around(fault: Fault, evidence: Evidence) -> str:
    """Return what is wrong with the key's history, with bronze or with a published row."""
    for history in fault.histories:
        if (events := evidence.history(history["key"])) != history["events"]:
            return f"the history of {history['key']} is {events}, not {history['events']}"
    for column, value in (fault.unknown_columns or {}).items():
        if [row.get(column) for row in evidence.bronze[fault.position]] != [value]:
            return f"bronze lacks {column} = {value}"
    if fault.row and not evidence.has_row(fault.row):
        return f"{fault.row['table']} has no one row {fault.row['where']} with {fault.row['has']}"
    return ""


def _one(fault: Fault, evidence: Evidence) -> str:
    events = evidence.events[fault.position]
    if [row["content"] for row in events] != [fault.content]:
        return f"{len(events)} events at its place, not the 1 that was sent"
    return ""


def _once(fault: Fault, _: Evidence, files: Files, held: bool) -> str:
    loaded = len(files.loaded.get(fault.sha256, ()))
    skipped = len(files.skipped.get(fault.sha256, ()))
    if (loaded, skipped) == (1, fault.times - 1 - held):
        return ""
    return f"its content was loaded {loaded} times and skipped {skipped} times"


def _replaced(fault: Fault, _: Evidence, files: Files, held: bool) -> str:
    if fault.sha256 in files.loaded:
        return f"the broken {fault.file} was loaded"
    return "" if held else _file(fault.file, fault.good, files)


def _late(fault: Fault, _: Evidence, files: Files, held: bool) -> str:
    if held:
        return f"{fault.file} is there before it was sent" if fault.sha256 in files.loaded else ""
    return _file(fault.file, fault.sha256, files)


def _file(path: str, sha256: str, files: Files) -> str:
    loaded = [entry.path for entry in files.loaded.get(sha256, ())]
    return "" if loaded == [path] else f"{path} was not loaded"


def _files_and_breaches(found: Audit, manifest: Manifest, tables: Tables, files: Files) -> None:
    """Count skipped files and stopped datasets that no fault explains."""
    twins = {fault.sha256 for fault in manifest.faults if fault.promise == "once"}
    for sha256, entries in files.skipped.items():
        for entry in entries if sha256 not in twins else ():
            found.hurt(GOOD_ROWS, f"{entry.path} was skipped, but it repeats no planted file")
    broken = {f.file: f.kind for f in manifest.faults if f.promise == "replaced"}
    for step in Ledger(tables).steps(manifest.domain):
        if step["status"] == "breach" and not any(path in step["message"] for path in broken):
            found.hurt(GOOD_ROWS, f"run {step['run']} stopped: {step['message']}")
