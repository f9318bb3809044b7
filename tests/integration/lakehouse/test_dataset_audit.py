"""Dataset rules: Spark measures as DuckDB does, and history is read from stored tables."""

from __future__ import annotations

import pytest

from contracts.model.dataset_rule import History
from lakehouse.quality.dataset_audit import history
from lakehouse.quality.dataset_audit.measurement import measure
from lakehouse.runs.ledger import Ledger, Step
from lakehouse.storage.tables import TableName, Tables
from tests.dataset_measures import KINDS, ROWS, RULES, check, rule


@pytest.mark.spark
def test_spark_measures_the_same(spark):
    """A large batch is measured by Spark, and the same comes out."""
    rows = spark.createDataFrame(ROWS)
    measures = measure(rows, RULES, KINDS, {})
    check(measures)
    assert measures.values == pytest.approx(measure(ROWS, RULES, KINDS, {}).values, nan_ok=True)
    assert (
        measure(rows, RULES, KINDS, measures.distributions).distributions == measures.distributions
    )


def test_history_of_counts_is_the_ledger_and_forgets_what_was_rolled_back(tmp_path):
    """Counts of earlier runs come from their steps; a run that was rolled back does not count."""
    tables = Tables(str(tmp_path))
    table = TableName.of("silver", "shop", "sat_placed")
    for valid, bad in ((100, 0), (90, 10), (80, 20)):
        with Ledger(tables).run("shop") as run:
            run.record(Step(run.number, "shop", "silver", str(table),
                            input=valid + bad, valid=valid, quarantined=bad))  # fmt: skip
            history.record(tables, "shop", str(table), run.number, {"sum amount": valid / 2}, {})
    how = History()
    rules = [
        rule("rowCount", history=how), rule("badRows", unit="percent", history=how),
        rule("sum", "amount", history=how),
    ]  # fmt: skip
    assert history.Past(tables, "shop", str(table)).values(rules) == {
        "rowCount": [100, 90, 80], "badRows percent": [0, 10, 20], "sum amount": [50, 45, 40],
    }  # fmt: skip
    ledger = Ledger(tables)
    ledger.mark_rolled_back([run for run in ledger.runs("shop") if run["run"] == 3], by=4)
    left = history.Past(tables, "shop", str(table)).values(rules)
    assert (left["rowCount"], left["sum amount"]) == ([100, 90], [50, 45])
