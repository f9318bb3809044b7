"""One rule on a dataset as a whole, as loaded: what is measured, and within what it has to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field

from contracts.model.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model.rules import Severity

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "mustBe": lambda value, given: value == given,
    "mustNotBe": lambda value, given: value != given,
    "mustBeGreaterThan": lambda value, given: value > given,
    "mustBeGreaterOrEqualTo": lambda value, given: value >= given,
    "mustBeLessThan": lambda value, given: value < given,
    "mustBeLessOrEqualTo": lambda value, given: value <= given,
    "mustBeBetween": lambda value, given: given[0] <= value <= given[1],
    "mustNotBeBetween": lambda value, given: not given[0] <= value <= given[1],
}
SPANS = {"min": 60, "h": 3600, "d": 86400}


class History(Strict):
    """A measure is compared with what the last `window` good runs measured.

    Silent until there are `minimum` of them. `deviations` is the largest modified z-score that
    still is usual; `tolerance` the least spread that is assumed, as a share of the median.
    """

    window: int = Field(default=30, gt=0)
    minimum: int = Field(default=7, gt=1)
    deviations: float = Field(default=3.5, gt=0)
    tolerance: float = Field(default=0.05, ge=0)


@dataclass(frozen=True)
class DatasetRule:
    """One requirement on a dataset: `error` is a breach, `warning` an alert that stops nothing.

    `operator` and `limit` bound the measure, or `history` does. `unit` is `percent` of the rows,
    or for freshness `min`, `h` or `d`.
    """

    metric: str
    columns: tuple[str, ...] = ()
    operator: str = ""
    limit: Any = field(default=None, hash=False)
    history: History | None = None
    unit: str = ""
    severity: Severity = "error"
    name: str = ""
    description: str = ""
    values: tuple[Any, ...] = ()
    bins: int = 10
    against: str = "clock"
    control: str = ""
    field: str = "rows"

    @property
    def label(self) -> str:
        """Return the name under which it is reported, the same in every run."""
        return self.name or " ".join([self.metric, *self.columns])

    @property
    def measure(self) -> str:
        """Return what is measured, the same for all rules that can share one measurement."""
        parts = [self.metric, self.unit, ",".join(self.columns)]
        return " ".join([*filter(None, parts), *([repr(self.values)] if self.values else [])])

    def allows(self, value: float) -> bool:
        """Return whether a measure is within the rule's fixed bounds; true where it has none."""
        return not self.operator or bool(OPERATORS[self.operator](value, self.limit))

    @property
    def requirement(self) -> str:
        """Return the bounds that a measure has to be within, in words."""
        if self.history is not None:
            return f"as usual over the last {self.history.window} runs"
        words = "".join(
            f" {letter.lower()}" if letter.isupper() else letter for letter in self.operator
        )
        limit = " and ".join(f"{bound:g}" for bound in _listed(self.limit))
        return f"{words} {limit}{f' {self.unit}' if self.unit else ''}"


def _listed(limit: Any) -> list[Any]:
    return [*limit] if isinstance(limit, list | tuple) else [limit]
