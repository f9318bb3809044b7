"""Compares the measures of a dataset with its rules' bounds, or with what is usual for it."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.metrics.registry import METRICS
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
    """The usual range of a measure: the median of the last good runs, and its bounds."""

    median: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True)
class Outcome:
    """Whether one measure is within one rule; `value` is in the rule's unit, None for no value.

    `message` states the value and the bounds that it is not within, empty where it is `good`.
    """

    rule: DatasetRule
    value: float | None
    good: bool
    message: str = ""


def usual(history: Sequence[float], how: History) -> Usual | None:
    """Return the usual range of a measure, None while there are too few runs.

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
    measures: Measures,
    history: Mapping[str, Sequence[float]],
    earlier: Mapping[str, Distribution],
    now: Mapping[str, datetime],
    bad_rows: Mapping[str, float],
) -> list[Outcome]:
    """Return one outcome a rule; a rule that has nothing to compare with yet is good.

    `earlier` are the last good distributions by column. `now` is the instant that freshness is
    measured from, by what the rule names: clock or source; `bad_rows` are the rejected rows by unit.
    """
    compared: list[Outcome] = []
    for rule in rules:
        if METRICS[rule.metric].kind == "distribution":
            value = _shifted(rule, measures, earlier)
        elif METRICS[rule.metric].kind == "run":
            value = bad_rows[rule.unit]
        else:
            value = value_of(rule, measures, now)
        compared.append(_outcome(rule, value, history))
    return compared


def value_of(rule: DatasetRule, measures: Measures, now: Mapping[str, datetime]) -> float | None:
    """Return a rule's measure in the rule's unit, None where nothing could be measured."""
    raw = measures.values.get(rule.measure)
    if raw is None:
        return None
    if METRICS[rule.metric].kind == "instant":
        return (now[rule.against].timestamp() - raw / 1e6) / SPANS[rule.unit]
    if rule.unit == "percent":
        return 100 * raw / measures.rows if measures.rows else None
    return float(raw)


def _shifted(
    rule: DatasetRule, measures: Measures, earlier: Mapping[str, Distribution]
) -> float | None:
    column = rule.columns[0]
    if column not in earlier or column not in measures.distributions:
        return None
    return shift(earlier[column].counts, measures.distributions[column].counts)


def _outcome(
    rule: DatasetRule, value: float | None, history: Mapping[str, Sequence[float]]
) -> Outcome:
    if value is None:
        return Outcome(rule, None, good=True)
    text = f"{rule.label}: {value:,.6g}{f' {rule.unit}' if rule.unit else ''}"
    if rule.history is None:
        good = rule.allows(value)
        return Outcome(rule, value, good, "" if good else f"{text}, {rule.requirement}")
    span = usual(history.get(rule.measure, ()), rule.history)
    if span is None or span.low <= value <= span.high:
        return Outcome(rule, value, good=True)
    message = (
        f"{text}, usual is {span.low:,.6g} to {span.high:,.6g} "
        f"(median {span.median:,.6g} of the last {span.runs} good runs)"
    )
    return Outcome(rule, value, good=False, message=message)
