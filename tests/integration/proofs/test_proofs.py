"""The proofs in short: `make prove` runs them at length."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from proofs.convergence import shrunk, try_pack
from proofs.kills import Harness, Kill
from proofs.log import Event, Pack
from proofs.oracle import expected

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SEED = int(os.environ.get("PROOF_SEED", "20261125"))
LOGS, STEPS, RUNS = 100, 6, 2


def test_any_log_converges(catalog, tmp_path):
    """100 random logs, shuffled, with duplicates and split: vault, dimension, fact and features are right."""
    pack = Pack(SEED, tuple(range(1, LOGS + 1)), STEPS)
    assert try_pack(catalog, tmp_path, pack, RUNS, SEED) == [], f"PROOF_SEED={SEED}"


def test_the_logs_have_everything_in_them():
    """All operations, unchanged values, moved keys, bad rows and both schemas occur."""
    events = Pack(SEED, tuple(range(1, LOGS + 1)), STEPS).events()
    assert {event.op for event in events} == set("rcudt")
    assert {event.early for event in events} == {True, False}
    assert min(Counter(bool(e.unchanged) for e in events).values()) > 20
    assert min(Counter(e.old_key is None for e in events).values()) > 20
    assert any(event.row.get("tier") == "tin" for event in events)


def test_a_failing_pack_shrinks():
    """The smallest pack that still fails is reported: the one group that is to blame."""
    to_blame = 37

    def fails(pack):
        return ["wrong"] if to_blame in pack.groups and pack.steps > 2 else []

    small, _ = shrunk(fails, Pack(SEED, tuple(range(1, 101)), 8))
    assert small == Pack(SEED, (to_blame,), 3, truncates=False)


def test_the_oracle_goes_by_place():
    """Events count in the order of the source's log, not in that of the list."""
    rows = [{"item": "milk", "pieces": pieces} for pieces in (1, 2)]
    log = [Event("scans", "c", (at, 1, 1), 0, row) for at, row in zip((10, 30), rows, strict=True)]
    emptied = Event("scans", "t", (20, 1, 1), 0, {})
    for events in ([*log, emptied], [emptied, *log]):
        assert expected(events).tables["scan_current"] == Counter({("milk", 2): 1})


def test_a_killed_process_is_finished_by_the_next(catalog, tmp_path):
    """Killed after a commit of bronze, silver, gold or a replay; the tables are those of no kill."""
    harness = Harness(catalog, tmp_path, Pack(SEED, (1, 2, 3), STEPS))
    for kill in (Kill(1), Kill(8), Kill(16), Kill(2, verb="replay")):
        trial = harness.trial(kill)
        assert trial.died, kill
        assert trial.differences == [], kill
