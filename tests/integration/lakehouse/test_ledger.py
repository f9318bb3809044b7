"""The ledger keeps the course of a run, whatever happens to the clock."""

from __future__ import annotations

from datetime import timedelta

from lakehouse.runs.ledger import RUNS, Ledger
from lakehouse.storage.tables import Tables


def test_a_run_that_ended_before_it_began_is_done(settings):
    """With a clock that went back between the two, the last status is still the last."""
    tables = Tables.at(settings)
    with Ledger(tables).run("toy"):
        pass
    stored = tables.read(RUNS)
    rows = stored.to_pylist()
    for row in rows:
        if row["status"] == "done":
            row["at"] -= timedelta(hours=1)
    tables.append(RUNS, type(stored).from_pylist(rows, schema=stored.schema))
    assert [run["status"] for run in Ledger(tables).runs("toy")] == ["done"]
