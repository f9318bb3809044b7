"""The bins of a distribution: aggregates that choose them, and that count the rows of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.metrics.metric import FLOATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.metrics.dialect import Dialect
    from contracts.model.dataset_rule import DatasetRule

NUMBERS = (*FLOATS, "tinyint", "smallint", "int", "bigint", "decimal")


def is_number(kind: str) -> bool:
    """Return whether the bins of a Spark type are ranges, not values."""
    return kind.partition("(")[0] in NUMBERS


def cuts(rule: DatasetRule, kinds: Mapping[str, str], dialect: Dialect) -> str:
    """Return the aggregate that chooses the bins of a column: quantiles, or frequent values."""
    column = dialect.quote(rule.columns[0])
    if is_number(kinds[rule.columns[0]]):
        shares = ", ".join(f"{place / rule.bins:.4f}" for place in range(1, rule.bins))
        return dialect.quantiles.format(column, shares)
    return dialect.most_frequent.format(column)


def bin_counts(column: str, kind: str, chosen: list[Any], dialect: Dialect) -> list[str]:
    """Return an aggregate a bin: the rows up to each cut and above the last, or of each value.

    A null is in no bin; a value that is none of the frequent ones is in the last.
    """
    quoted_name = dialect.quote(column)
    if not is_number(kind):
        value = f"cast({quoted_name} as {dialect.text_type})"
        texts = [dialect.text(text) for text in chosen]
        others = f"{value} not in ({', '.join(texts)})" if texts else f"{value} is not null"
        return [f"count_if({value} = {text})" for text in texts] + [f"count_if({others})"]
    value = f"cast({quoted_name} as double)"
    usable = f"{value} is not null and not isnan({value})"
    counts: list[str] = []
    below = "true"
    for cut in chosen:
        edge = f"cast({cut!r} as double)"
        counts.append(f"count_if({usable} and {below} and {value} <= {edge})")
        below = f"{value} > {edge}"
    return [*counts, f"count_if({usable} and {below})"]
