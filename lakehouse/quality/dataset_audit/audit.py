"""Audits what a dataset is about to be given: measured once, judged, remembered where it is good."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.engine.duckdb import connection
from lakehouse.errors import ContractBreach, Violation
from lakehouse.quality.dataset_audit import history
from lakehouse.quality.dataset_audit.measurement import COUNTED, Measures, measure
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
    """What became of a dataset's rules in one run."""

    run: Run
    contract: Contract
    table: TableName
    outcomes: list[Outcome] = field(default_factory=list)
    measures: Measures = field(default_factory=Measures)
    values: dict[str, float] = field(default_factory=dict)

    def violations(self, sample: Mapping[str, tuple[str, ...]]) -> list[Violation]:
        """Return the broken promises; `sample` has rows that show it, by the name of a metric."""
        return [
            Violation(
                self.contract.dataset, self.table.layer, each.rule.label, each.why,
                table=str(self.table), sample=sample.get(each.rule.metric, ()),
                severity=each.rule.severity,
            )
            for each in self.outcomes
            if not each.good
        ]  # fmt: skip

    def enforce(self, sample: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Raise ContractBreach for a broken rule of severity `error`; keep the others as warnings."""
        found = self.violations(sample or {})
        errors = [each for each in found if each.severity == "error"]
        self.run.warnings += [each for each in found if each.severity != "error"]
        if errors:
            whys = "; ".join(each.message for each in errors)
            raise ContractBreach(
                f"{self.contract.dataset}: {self.table} stays as it is, the {self.table.layer} batch "
                f"broke its contract: {whys}",
                errors,
            )

    def remember(self) -> None:
        """Keep what was measured as the past of later runs; for when the rows are written."""
        history.remember(
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
    """Measure and judge the rows that a run is about to give to a table; nothing is raised yet.

    `counted` are the measures that the run made itself: `valid` and `quarantined` of `input` rows. No rule, or
    none that the rows can answer, costs nothing.
    """
    rules = [r for r in contract.dataset_rules if r.metric != "reconciliation"]
    if counted is None:
        rules = [rule for rule in rules if rule.metric != "badRows"]
    if not rules:
        return Audit(run, contract, table)
    past = history.Past(run.tables, contract.domain, str(table))
    known = past.distributions()
    kinds = kinds or {column.name: column.type for column in contract.columns}
    counting = [rule for rule in rules if counted is None or rule.metric != "rowCount"]
    found = measure(rows, counting, kinds, known)
    if counted is not None:
        # The ledger counts deletes, too, and it is the ledger that this is compared with.
        events = {r.measure: counted["valid"] for r in rules if r.metric == "rowCount"}
        found.values.update(events)
    bad = _bad_rows(counted or {})
    now = {"clock": datetime.now(UTC)}
    if any(rule.against == "source" for rule in rules):
        now["source"] = source_time(run.tables, contract.domain)
    values = {}
    for rule in rules:
        own = rule.metric in (*COUNTED, "distributionShift")
        value = None if own else value_of(rule, found, now)
        if value is not None:
            values[rule.measure] = value
    judged = outcomes(rules, found, past.values(rules), known, now, bad)
    return Audit(run, contract, table, judged, found, values)


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
            found = database.execute("select epoch_us(max(_source_ts)) from batch").fetchone()
        if found and found[0] is not None:
            newest = max(newest, datetime.fromtimestamp(found[0] / 1e6, UTC))
    return newest
