"""A score run can be rolled back: its scores go, and the next one gives them again."""

from __future__ import annotations

from collections import Counter

import pytest

from lakehouse.runs.ledger import Ledger
from lakehouse.storage.tables import Tables
from operations import rollback
from operations.rollback_plan import plan
from platinum.scoring.scoring import score
from platinum.training.training import train
from tests.integration.platinum.shop import (
    land,
    line,
    name,
    rows_of,
    write_candidates,
    write_history,
)

pytestmark = pytest.mark.spark
SCORES = name("platinum", "scores")


def scored(settings):
    """Return how often each visit and offer was scored, and its score."""
    return Counter((r["visit"], r["offer"], r["score"]) for r in rows_of(settings, SCORES))


def test_scores_are_taken_back_and_given_again(settings, spark):
    """What an earlier run scored stays and is not scored twice; the stream starts over."""
    write_candidates(settings, write_history(settings))
    train(settings, "shop")
    land(settings, [line(visit, 1, who=visit) for visit in (1, 2)])
    score(settings, "shop")
    first = scored(settings)
    land(settings, [line(visit, 1, who=visit) for visit in (4, 5)])
    outcome = score(settings, "shop")["taste"]
    second = outcome["run"]
    after = scored(settings)

    chosen = plan(settings, second)
    assert [table.table for table in chosen.tables_back] == [SCORES]
    assert [run["command"] for run in chosen.runs] == ["score"]
    rollback.roll_back(settings, second)

    assert scored(settings) == first
    assert not chosen.checkpoints[0].exists()
    assert score(settings, "shop")["taste"]["scored"] == outcome["scored"] > 0
    assert scored(settings) == after
    assert [row["status"] for row in Ledger(Tables.at(settings)).runs("shop")][1] == "rolled back"
