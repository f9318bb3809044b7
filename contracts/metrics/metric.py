"""What a dataset metric is: its name, how many columns it takes, and the SQL that measures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contracts.model.dataset_rule import SPANS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.metrics.dialect import Dialect
    from contracts.model.dataset_rule import DatasetRule

FLOATS = ("float", "double")
# The column of the names whose values a change of the source did not send: they are not missing
UNCHANGED = "_unavailable"
_COLUMNS = {"none": "no column", "one": "one column", "some": "one column or several"}


@dataclass(frozen=True)
class MetricInput:
    """One rule on one relation: what the SQL of its metric is made from.

    `types` are the Spark types of the relation's columns. With `partial_updates` the relation has
    the column `_unavailable`, which lists the columns that a change left as they were.
    """

    rule: DatasetRule
    types: Mapping[str, str]
    dialect: Dialect
    partial_updates: bool = False

    @property
    def columns(self) -> list[str]:
        """Return the rule's columns, quoted."""
        return [self.dialect.quote(column) for column in self.rule.columns]

    @property
    def column(self) -> str:
        """Return the rule's only column, quoted."""
        [column] = self.columns
        return column

    def count_where(self, condition: str) -> str:
        """Return the number of rows for which a condition holds, unchanged values aside."""
        if self.partial_updates:
            name = self.dialect.text(self.rule.columns[0])
            unchanged = f"coalesce(array_contains({UNCHANGED}, {name}), false)"
            condition = f"({condition}) and not {unchanged}"
        return f"count_if({condition})"

    @property
    def is_null(self) -> str:
        """Return the condition that the column has no value; NaN is none."""
        is_float = self.types[self.rule.columns[0]] in FLOATS
        return f"{self.column} is null{f' or isnan({self.column})' if is_float else ''}"


@dataclass(frozen=True)
class Metric:
    """One metric that rules may name.

    `aggregate` is the SQL that measures it, in both dialects. Its kind says what that yields:

    - `number`: the value; with the unit `percent` its share of the rows
    - `instant`: microseconds since 1970; the value is its age in the rule's unit
    - `distribution`: the rows of each bin, compared with the last good version; no aggregate
    - `run`: counted by the run, not measured in rows; no aggregate

    A `standard` metric may stand in a contract by its name alone, as in ODCS; the others under
    `type: custom, engine: lakehouse`. `problem` returns why a rule is senseless, or nothing.
    """

    name: str
    columns: Literal["none", "one", "some"]
    aggregate: Callable[[MetricInput], str] | None = None
    kind: Literal["number", "instant", "distribution", "run"] = "number"
    standard: bool = False
    problem: Callable[[DatasetRule, Mapping[str, str]], str] = lambda _rule, _types: ""

    def problem_of(self, rule: DatasetRule, types: Mapping[str, str]) -> str:
        """Return why a rule on this metric is senseless, empty where it is not."""
        for column in rule.columns:
            if column not in types:
                return f"{self.name} names the column '{column}', which is not there"
        count = len(rule.columns)
        enough = {"none": count == 0, "one": count == 1, "some": count > 0}
        if not enough[self.columns]:
            return f"{self.name} measures {_COLUMNS[self.columns]}, not {count}"
        if rule.unit in SPANS and self.kind != "instant":
            return f"{self.name} is no span of time: '{rule.unit}' is no unit of it"
        return self.problem(rule, types)
