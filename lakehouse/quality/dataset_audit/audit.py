"""Audits the rows that a dataset is about to get: measures them, compares, records good measures."""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contracts.metrics.registry import METRICS
from lakehouse.engine.duckdb import connection
from lakehouse.errors import ContractBreach, Violation
from lakehouse.quality.dataset_audit import history
from lakehouse.quality.dataset_audit.measurement import Measures, measure
from lakehouse.quality.dataset_audit.outcome import Outcome, outcomes, value_of
from lakehouse.runs.bookmarks import CAPTURE
from lakehouse.storage.table_log import bookmark

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from contracts.model.contract import Contract
    from lakehouse.runs.ledger import Run
    from lakehouse.storage.tables import TableName, Tables

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Audit:
    """The outcomes of a dataset's rules in one run."""

    run: Run
    contract: Contract
    table: TableName
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    measures: Measures = field(default_factory=Measures)
    values: dict[str, float] = field(default_factory=dict[str, float])

    def violations(self, sample: Mapping[str, tuple[str, ...]]) -> list[Violation]:
        """Return the violations of rules; `sample` describes rows, by the name of a metric."""
        return [
            Violation(
                self.contract.dataset, self.table.layer, outcome.rule.label, outcome.message,
                table=str(self.table), sample=sample.get(outcome.rule.metric, ()),
                severity=outcome.rule.severity,
            )
            for outcome in self.outcomes
            if not outcome.good
        ]  # fmt: skip

    def enforce(self, sample: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Raise ContractBreach where a rule of severity `error` is violated; add warnings to the run."""
        violations = self.violations(sample or {})
        errors = [violation for violation in violations if violation.severity == "error"]
        self.run.warnings += [v for v in violations if v.severity != "error"]
        if errors:
            reasons = "; ".join(violation.message for violation in errors)
            raise ContractBreach(
                f"{self.contract.dataset}: {self.table} stays as it is, the {self.table.layer} batch "
                f"broke its contract: {reasons}",
                errors,
            )

    def record(self) -> None:
        """Append the measures to the history of later runs; call it when the rows are written."""
        history.record(
            self.run.tables, self.contract.domain, str(self.table), self.run.number,
            self.values, self.measures.distributions,
        )  # fmt: skip


def audit(
    run: Run,
    contract: Contract,
    table: TableName,
    rows: pa.Table | DataFrame,
    counted: Mapping[str, float] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> Audit:
    """Measure the rows that a run is about to write to a table, against its rules; raise nothing yet.

    `counted` are the measures that the run made itself: `valid` and `quarantined` of `input` rows.
    No rule, or none that the rows can be measured for, costs nothing.
    """
    rules = [r for r in contract.dataset_rules if r.metric != "reconciliation"]
    if counted is None:
        rules = [rule for rule in rules if METRICS[rule.metric].kind != "run"]
    if not rules:
        return Audit(run, contract, table)
    past = history.Past(run.tables, contract.domain, str(table))
    earlier = past.distributions()
    kinds = kinds or {column.name: column.type for column in contract.columns}
    counting = [rule for rule in rules if counted is None or rule.metric != "rowCount"]
    measures = measure(rows, counting, kinds, earlier)
    if counted is not None:
        # The ledger counts deletes, too, and its counts are what this is compared with.
        events = {r.measure: counted["valid"] for r in rules if r.metric == "rowCount"}
        measures.values.update(events)
    now = {"clock": datetime.now(UTC)}
    if any(rule.against == "source" for rule in rules):
        now["source"] = source_time(run.tables, contract.domain)
    values: dict[str, float] = {}
    for rule in rules:
        stored = METRICS[rule.metric].kind in ("number", "instant")
        value = value_of(rule, measures, now) if stored else None
        if value is not None:
            values[rule.measure] = value
    compared = outcomes(rules, measures, past.values(rules), earlier, now, _bad_rows(counted or {}))
    return Audit(run, contract, table, compared, measures, values)


def _bad_rows(counted: Mapping[str, float]) -> dict[str, float]:
    """Return the rejected rows of a batch by unit: how many, and what percentage of all."""
    count, rows = counted.get("quarantined", 0), counted.get("input", 0)
    return {"": float(count), "percent": 100 * count / rows if rows else 0.0}


def source_time(tables: Tables, domain: str) -> datetime:
    """Return the newest instant that any source of a domain stamped on a row of its last batch."""
    newest = EPOCH
    for name in tables.names(domain):
        table = tables.open(name) if name.layer == "bronze" else None
        batch = bookmark(table, CAPTURE)
        if table is None or batch is None:
            continue
        with connection() as database:
            database.register("batch", table.scan(["_source_ts"], predicate=f"_batch = {batch}"))
            row = database.execute("select epoch_us(max(_source_ts)) from batch").fetchone()
        if row and row[0] is not None:
            newest = max(newest, datetime.fromtimestamp(row[0] / 1e6, UTC))
    return newest
