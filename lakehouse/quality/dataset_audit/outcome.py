"""Compares measures with what was promised, or with what used to be measured."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.model.dataset_rule import SPANS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from contracts.model.dataset_rule import DatasetRule, History
    from lakehouse.quality.dataset_audit.measurement import Distribution, Measures

# The median absolute deviation of a normal distribution is this share of its standard deviation.
NORMAL = 0.6745
# A bin that was empty before or is now counts as this share: the logarithm of nothing is none.
LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class Usual:
    """What a measure used to be: the median of the last good runs, and how far it may be off."""

    median: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True)
class Outcome:
    """What one rule says of one measure; `value` is in the rule's unit, None where there was none."""

    rule: DatasetRule
    value: float | None
    good: bool
    why: str


def usual(history: Sequence[float], how: History) -> Usual | None:
    """Return the usual range of a measure, None while there are too few runs to know.

    The modified z-score of Iglewicz and Hoaglin (1993): 0.6745 * |x - median| / MAD. The spread is
    taken as `tolerance` of the median at least, so that a series without any is no trap.
    """
    last = list(history)[-how.window :]
    if len(last) < how.minimum:
        return None
    median = statistics.median(last)
    mad = statistics.median(abs(value - median) for value in last)
    off = how.deviations * max(mad / NORMAL, how.tolerance * abs(median))
    return Usual(median, median - off, median + off, len(last))


def shift(before: Sequence[int], now: Sequence[int]) -> float:
    """Return the population stability index of two histograms over the same bins.

    The sum of (q - p) * ln(q / p) over the bins' shares p and q; below 0.1 is read as no shift,
    above 0.25 as a large one.
    """
    old, new = sum(before), sum(now)
    if not old or not new:
        return 0.0
    shares = [
        (max(p / old, LEAST_SHARE), max(q / new, LEAST_SHARE))
        for p, q in zip(before, now, strict=True)
    ]
    return sum((q - p) * math.log(q / p) for p, q in shares)


def outcomes(
    rules: Sequence[DatasetRule],
    found: Measures,
    history: Mapping[str, Sequence[float]],
    known: Mapping[str, Distribution],
    now: Mapping[str, datetime],
    bad: Mapping[str, float],
) -> list[Outcome]:
    """Return one verdict a rule; a rule that has nothing to go by yet is good.

    `now` is the instant that freshness is measured from, by what the rule names: clock or source;
    `bad` are the rejected rows by unit.
    """
    judged = []
    for rule in rules:
        if rule.metric == "distributionShift":
            value = _shifted(rule, found, known)
        elif rule.metric == "badRows":
            value = bad[rule.unit]
        else:
            value = value_of(rule, found, now)
        judged.append(_outcome(rule, value, history))
    return judged


def value_of(rule: DatasetRule, found: Measures, now: Mapping[str, datetime]) -> float | None:
    """Return a rule's measure in the rule's unit, None where nothing could be measured."""
    raw = found.values.get(rule.measure)
    if raw is None:
        return None
    if rule.metric == "freshness":
        return (now[rule.against].timestamp() - raw / 1e6) / SPANS[rule.unit]
    if rule.unit == "percent":
        return 100 * raw / found.rows if found.rows else None
    return float(raw)


def _shifted(rule: DatasetRule, found: Measures, known: Mapping[str, Distribution]) -> float | None:
    column = rule.columns[0]
    if column not in known or column not in found.distributions:
        return None
    return shift(known[column].counts, found.distributions[column].counts)


def _outcome(
    rule: DatasetRule, value: float | None, history: Mapping[str, Sequence[float]]
) -> Outcome:
    if value is None:
        return Outcome(rule, None, good=True, why="")
    what = f"{rule.label}: {value:,.6g}{f' {rule.unit}' if rule.unit else ''}"
    if rule.history is None:
        good = rule.allows(value)
        return Outcome(rule, value, good=good, why="" if good else f"{what}, {rule.requirement}")
    known = usual(history.get(rule.measure, ()), rule.history)
    if known is None or known.low <= value <= known.high:
        return Outcome(rule, value, good=True, why="")
    why = (
        f"{what}, usual is {known.low:,.6g} to {known.high:,.6g} "
        f"(median {known.median:,.6g} of the last {known.runs} good runs)"
    )
    return Outcome(rule, value, good=False, why=why)
