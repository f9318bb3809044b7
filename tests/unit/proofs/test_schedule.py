"""Where runs are killed while faults are pending follows from the seed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from proofs.schedule import STAGES, Kill, schedule


@pytest.mark.parametrize("seed", range(20))
def test_no_seed_lacks_a_stage(seed):
    """Each schedule kills twice right after the first plan, and in bronze, silver and gold."""
    days = schedule(seed, 12, 4)
    assert sum(map(len, days)) == 12
    assert days[0][:2] == [Kill("plan"), Kill("plan")]
    stages = [[kill.stage for kill in day] for day in days]
    assert {"plan", "bronze", "silver", "gold"} <= {stage for day in stages for stage in day}
    # A day's files are pending no more once a run has come to silver.
    assert all(b in {"silver", "gold"} for day in stages for a, b in pairwise(day) if a == "silver")


@pytest.mark.parametrize(
    ("kill", "stages", "reached"),
    [
        (Kill("plan"), ["start", "abandon"], False),
        (Kill("plan"), ["start", "abandon", "plan"], True),
        (Kill("bronze", 2), ["start", "plan", "bronze", ""], True),
        (Kill("bronze", 2), ["start", "plan", "bronze"], False),
        (Kill("bronze"), ["start", "silver"], True),
        (Kill("start", 0), [], True),
    ],
)
def test_a_kill_waits_for_its_stage_or_a_later_one(kill, stages, reached):
    """Commits count from the first of the stage on; where it is passed over, from a later one on."""
    assert set(stages) <= {"", *STAGES}
    assert kill.reached(stages) is reached
