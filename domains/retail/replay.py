"""One day of the replay: its commits, real, synthetic and bad, in the order the source made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domains.retail.changes import real_commits
from domains.retail.envelope import REAL, Commit
from domains.retail.faults import bad_commits
from domains.retail.frames import days
from domains.retail.schemas import KEYS
from domains.retail.synthetic import with_synthetic

if TYPE_CHECKING:
    from datetime import date

SEED = 11


def day_commits(
    day: date, scale: str, seed: int = SEED, faults: int | None = None
) -> tuple[list[Commit], list[str]]:
    """Return the day's commits in time order, and what is wrong with the bad ones among them."""
    real = real_commits(day, scale)
    bad = bad_commits(real, day, seed, faults)
    commits = with_synthetic(real, day, scale, seed) + [commit for _, commit in bad]
    return sorted(commits, key=lambda commit: commit.at), [what for what, _ in bad]


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
