"""One day of the replay: its commits, real, synthetic and bad, in the order the source made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domains.retail.changes import real_commits
from domains.retail.envelope import REAL, Commit
from domains.retail.faults import Plant, bad_commits
from domains.retail.faults_rows import planted
from domains.retail.frames import days
from domains.retail.schemas import KEYS
from domains.retail.synthetic import with_synthetic

if TYPE_CHECKING:
    from datetime import date

SEED = 11


def day_commits(
    day: date, scale: str, seed: int = SEED, faults: int | None = None
) -> tuple[list[Commit], list[Plant]]:
    """Return the day's commits in time order, and which of them are faults."""
    real = real_commits(day, scale)
    plants = bad_commits(real, day, seed)
    if faults is not None:
        plants += planted(real, day, scale, faults)
    bad = [commit for plant in plants for commit in plant.commits]
    commits = with_synthetic(real, day, scale, seed) + bad
    return sorted(commits, key=lambda commit: commit.at), plants


def overridden(dataset: str, through: date, scale: str = "small", seed: int = SEED) -> set[tuple]:
    """Return the keys whose last event by the end of `through` did not leave the package's row.

    What is left of `expected` without these keys is what a reader of the log holds as real rows.
    """
    last: dict[tuple, str] = {}
    for day in days():
        if dataset not in KEYS or day > through:
            break
        for commit in day_commits(day, scale, seed)[0]:
            for change in commit.changes:
                if change.dataset == dataset:
                    last[tuple(change.row[name] for name in KEYS[dataset])] = change.origin
    return {key for key, origin in last.items() if origin != REAL}
