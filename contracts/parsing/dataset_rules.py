"""Dataset rules: which metric of a dataset is measured, and the bounds it has to be within.

They stand under `quality` of the dataset or of a column, in the standard's own terms (`metric:
rowCount`), or, for what the standard has no name for, as `type: custom, engine: lakehouse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from contracts.errors import ContractError
from contracts.metrics.registry import METRICS
from contracts.model.dataset_rule import OPERATORS, DatasetRule, History
from contracts.model.strict import Strict
from contracts.parsing.document import implementation_of, items_at, mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contracts.model.contract import Column
    from contracts.parsing.document import Document

ENGINE = "lakehouse"


class Implementation(Strict):
    """What stands under `implementation` of a rule of our own."""

    metric: str
    column: str = ""
    columns: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    unit: Literal["", "rows", "percent", "min", "h", "d"] = ""
    bins: int = Field(default=10, gt=1, le=50)
    against: Literal["clock", "source"] = "clock"
    control: str = ""
    field: str = "rows"
    history: History | None = None
    mustBe: float | None = None
    mustNotBe: float | None = None
    mustBeGreaterThan: float | None = None
    mustBeGreaterOrEqualTo: float | None = None
    mustBeLessThan: float | None = None
    mustBeLessOrEqualTo: float | None = None
    mustBeBetween: tuple[float, float] | None = None
    mustNotBeBetween: tuple[float, float] | None = None

    @field_validator("metric")
    @classmethod
    def _registered(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"'{metric}' is not known; known are {', '.join(sorted(METRICS))}")
        return metric

    @model_validator(mode="after")
    def _one_comparison(self) -> Implementation:
        given = [name for name in OPERATORS if getattr(self, name) is not None]
        if len(given) + (self.history is not None) != 1:
            raise ValueError("exactly one of history and the mustBe... comparisons is needed")
        for between in (self.mustBeBetween, self.mustNotBeBetween):
            if between is not None and between[0] > between[1]:
                raise ValueError(f"minimum {between[0]:g} is above maximum {between[1]:g}")
        return self


def is_dataset_rule(raw: dict[str, Any]) -> bool:
    """Return whether an item of a `quality` list is a rule on the dataset as a whole."""
    metric = METRICS.get(raw.get("metric", ""))
    return (metric is not None and metric.standard) or raw.get("engine") == ENGINE


def dataset_rules_of(source: Document, columns: Sequence[Column]) -> tuple[DatasetRule, ...]:
    """Return every dataset rule of the contract; raise ContractError for one that makes no sense."""
    rules: dict[str, DatasetRule] = {}
    for path, raw, measured in _declared(source):
        rule = _rule(source, path, raw, measured)
        _check(source, path, rule, {column.name: column.type for column in columns})
        if rule.label in rules:
            message = f"two dataset rules are called '{rule.label}'; give one of them a name"
            raise source.error(path, message)
        rules[rule.label] = rule
    return tuple(rules.values())


def _declared(source: Document) -> Iterator[tuple[list[str | int], dict[str, Any], str]]:
    """Yield (path, item, column or nothing) of each item that is a dataset rule."""
    table, path = source.data["schema"][0], ["schema", 0]
    for place, raw in enumerate(items_at(table, "quality")):
        if is_dataset_rule(raw):
            yield [*path, "quality", place], raw, ""
    for index, column in enumerate(items_at(table, "properties")):
        for place, raw in enumerate(items_at(column, "quality")):
            if is_dataset_rule(raw):
                yield [*path, "properties", index, "quality", place], raw, column["name"]


def _rule(source: Document, path: list[str | int], raw: dict[str, Any], column: str) -> DatasetRule:
    if raw.get("engine") == ENGINE:
        given = implementation_of(raw, "metric")
    else:
        arguments = mapping_at(raw, "arguments")
        given: dict[str, Any] = {name: raw[name] for name in OPERATORS if name in raw}
        given |= {"metric": raw["metric"], "unit": raw.get("unit", "")}
        given |= {"column": arguments.get("column", ""), "columns": arguments.get("properties", ())}
        given["values"] = arguments.get("missingValues") or ()
    if column and not given.get("column") and not given.get("columns"):
        given["column"] = column
    try:
        parsed = Implementation.model_validate(given)
    except ValidationError as error:
        lines = [
            str(source.error([*path, "implementation", *problem["loc"]], _message(problem)))
            for problem in error.errors()
        ]
        raise ContractError("\n".join(lines)) from None
    severity = raw.get("severity", "error")
    if severity not in ("error", "warning"):
        raise source.error(path, "severity is error or warning")
    operator = next((name for name in OPERATORS if getattr(parsed, name) is not None), "")
    return DatasetRule(
        metric=parsed.metric,
        columns=(parsed.column,) if parsed.column else parsed.columns,
        operator=operator,
        limit=getattr(parsed, operator) if operator else None,
        history=parsed.history,
        unit="" if parsed.unit == "rows" else parsed.unit,
        severity=severity,
        name=raw.get("name", ""),
        description=raw.get("description", ""),
        values=parsed.values,
        bins=parsed.bins,
        against=parsed.against,
        control=parsed.control,
        field=parsed.field,
    )


def _message(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _check(
    source: Document, path: list[str | int], rule: DatasetRule, kinds: dict[str, str]
) -> None:
    problem = METRICS[rule.metric].problem_of(rule, kinds)
    if problem:
        raise source.error(path, problem)
