"""The history of measures: one row is one measure of one dataset in one run, in an `ops` table."""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.quality.dataset_audit.measurement import Distribution
from lakehouse.runs.ledger import ROLLED_BACK, Ledger
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.model.dataset_rule import DatasetRule
    from lakehouse.storage.tables import Tables

MEASURES = TableName("ops", "dataset_measures")


class Past:
    """The measures of one table in earlier runs that were good, oldest first.

    Runs that were rolled back do not count: their rows are gone.
    """

    def __init__(self, tables: Tables, domain: str, table: str) -> None:
        """Read the measures as they stand now."""
        self.tables, self.domain, self.table = tables, domain, table
        rolled_back = {
            run["run"] for run in Ledger(tables).runs(domain) if run["status"] == ROLLED_BACK
        }
        rows = [
            row
            for row in tables.rows(MEASURES)
            if row["table"] == table and row["domain"] == domain and row["run"] not in rolled_back
        ]
        self.rows = sorted(rows, key=lambda row: (row["run"], row["at"]))
        self.rolled_back = rolled_back

    def values(self, rules: Iterable[DatasetRule]) -> dict[str, list[float]]:
        """Return the values of each measure that a rule compares with its history.

        Row counts and shares of bad rows come from the run ledger, so they reach back to before
        the rule was written.
        """
        values: dict[str, list[float]] = defaultdict(list)
        for row in self.rows:
            if row["value"] is not None:
                values[row["measure"]].append(row["value"])
        compared = [rule for rule in rules if rule.history is not None]
        if any(rule.metric in ("rowCount", "badRows") for rule in compared):
            steps = self._steps()
            for rule in compared:
                if rule.metric in ("rowCount", "badRows") and steps:
                    values[rule.measure] = [_of_step(rule, step) for step in steps]
        return values

    def _steps(self) -> list[dict[str, Any]]:
        return [
            step
            for step in Ledger(self.tables).steps(self.domain)
            if step["table"] == self.table
            and step["status"] == "done"
            and step["valid"] + step["quarantined"]
            and step["run"] not in self.rolled_back
        ]

    def distributions(self) -> dict[str, Distribution]:
        """Return the last good distribution of each column."""
        return {
            row["measure"]: Distribution(**json.loads(row["detail"]))
            for row in self.rows
            if row["detail"]
        }


def _of_step(rule: DatasetRule, step: dict[str, Any]) -> float:
    if rule.metric == "rowCount":
        return float(step["valid"])
    count = step["quarantined"]
    rows = step["valid"] + count
    return 100 * count / rows if rule.unit == "percent" else float(count)


def record(
    tables: Tables,
    domain: str,
    table: str,
    run: int,
    values: dict[str, float],
    distributions: dict[str, Distribution],
) -> None:
    """Append the measures of a table in a run that was good; call it once a run."""
    import pyarrow as pa

    fixed = {"run": run, "domain": domain, "table": table, "at": datetime.now(UTC)}
    rows = [
        {**fixed, "measure": name, "value": value, "detail": ""} for name, value in values.items()
    ] + [
        {
            **fixed,
            "measure": column,
            "value": None,
            "detail": json.dumps({"cuts": distribution.cuts, "counts": distribution.counts}),
        }
        for column, distribution in distributions.items()
    ]
    schema = pa.schema(
        [
            ("run", pa.int64()),
            ("domain", pa.string()),
            ("table", pa.string()),
            ("at", pa.timestamp("us", tz="UTC")),
            ("measure", pa.string()),
            ("value", pa.float64()),
            ("detail", pa.string()),
        ]
    )
    if rows:
        tables.append(MEASURES, pa.Table.from_pylist(rows, schema=schema))
