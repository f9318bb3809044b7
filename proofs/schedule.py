"""When runs are killed while faults are pending: a schedule that follows from its seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a run reaches, in order. Before its plan it abandons the plans of runs that died.
STAGES = ("start", "abandon", "plan", "bronze", "silver", "gold")


@dataclass(frozen=True)
class Kill:
    """When to kill a run: so many commits from a stage on, so many seconds after the last of them."""

    stage: str
    commits: int = 1
    delay: float = 0.0

    def reached(self, stages: Sequence[str]) -> bool:
        """Return whether a run whose commits are of these stages is to be killed."""
        late = STAGES[STAGES.index(self.stage) :]
        first = next((n for n, stage in enumerate(stages) if stage in late), len(stages))
        return len(stages) - first >= self.commits

    def __str__(self) -> str:
        """Return the kill as a few words."""
        return f"{self.stage}+{self.commits}+{self.delay:.2f}s"


def schedule(seed: int, kills: int, days: int) -> list[list[Kill]]:
    """Return the kills after the landing of each of four or more days.

    First come those which no seed may lack: two in a row right after the first plan, one after the
    plan of each later day, one each in bronze, silver and gold. The rest is random. Within a day
    those in silver and gold come last: after them no file is pending.
    """
    chance = Random(f"{seed}:kills")
    planned = Kill("plan")
    chosen = [
        (0, planned), (0, planned), (2, _random(chance, "silver")), (1, _random(chance, "bronze")),
        (3, _random(chance, "gold")), (1, planned), (2, planned), (3, planned),
    ]  # fmt: skip
    plan: list[list[Kill]] = [[] for _ in range(days)]
    for day, kill in chosen[:kills]:
        plan[day].append(kill)
    for _ in range(kills - len(chosen)):
        kill = _random(chance, chance.choice(("start", "abandon", "plan", "bronze", "bronze")))
        plan[chance.randrange(days)].append(kill)
    return [_ordered(day, chance, first=2 if n == 0 else 0) for n, day in enumerate(plan)]


def _random(chance: Random, stage: str) -> Kill:
    """Return a kill at a commit of a stage or some moments later; a plan takes seconds to be loaded."""
    most = {"abandon": 8, "bronze": 8, "silver": 20, "gold": 6}.get(stage, 1)
    longest = {"start": 1.0, "plan": 8.0}.get(stage, 0.5)
    least = 0 if stage == "start" else 1
    return Kill(
        stage, chance.randint(least, most), chance.choice((0, 1)) * chance.uniform(0, longest)
    )


def _ordered(day: list[Kill], chance: Random, first: int) -> list[Kill]:
    deep = [kill for kill in day if kill.stage in {"silver", "gold"}]
    shallow = [kill for kill in day[first:] if kill not in deep]
    chance.shuffle(shallow)
    return day[:first] + shallow + deep
