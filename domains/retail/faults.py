"""One fault is a row, or a file, that the lakehouse must notice: on every day a few, on demand more."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from domains.retail.changes import clock
from domains.retail.envelope import SYNTHETIC, Change, Commit
from domains.retail.frames import days
from domains.retail.synthetic import SYNTHETIC_IDS

if TYPE_CHECKING:
    from datetime import date

FAULTS_TIMES = 5


# Each spoils a payload that is good otherwise; None tears the line itself.
_SPOILT: tuple[tuple[str, dict[str, object] | None], ...] = (
    ("quantity below zero", {"quantity": -3}),
    ("sales_value is no number", {"sales_value": "abc"}),
    ("household_id is missing", {"household_id": None}),
    ("line is torn", None),
    ("week out of range", {"week": 99}),
    ("product_id, part of the key, is missing", {"product_id": None}),
    ("transaction_timestamp is no time", {"transaction_timestamp": "2017-13-45T25:00:00Z"}),
    ("retail_disc below zero", {"retail_disc": "-1.50"}),
)
_EVERY_DAY = 5


def bad_commits(
    commits: list[Commit], day: date, seed: int, faults: int | None = None
) -> list[tuple[str, Commit]]:
    """Return (what is wrong, commit) for 5 to 8 bad lines, five times as many where faults are asked for."""
    lines = [
        change.row
        for commit in commits
        for change in commit.changes
        if change.dataset == "transactions" and change.op == "c"
    ]
    bad = []
    for turn in range(FAULTS_TIMES if faults is not None else 1):
        # The first turn is that of a day without faults, so that faults only add.
        random = Random(f"{seed}:{day}:bad" if turn == 0 else f"{faults}:{day}:bad:{turn}")
        optional = _SPOILT[_EVERY_DAY:]
        chosen = _SPOILT[:_EVERY_DAY] + tuple(
            random.sample(optional, random.randint(0, len(optional)))
        )
        for what, spoilt in chosen:
            basket = SYNTHETIC_IDS + days().index(day) * 1000 + len(bad) + 1
            row = {**random.choice(lines), "basket_id": basket}
            at = clock(day, random.randint(8, 20), random.randint(0, 59), random.randint(0, 59))
            row["transaction_timestamp"] = at
            commit = Commit(
                at, (Change("transactions", "c", None, row, SYNTHETIC),), torn=spoilt is None
            )
            if spoilt is not None:
                change = replace(commit.changes[0], after=row | spoilt)
                commit = replace(commit, changes=(change,))
            bad.append((what, commit))
    return bad
