"""How Spark and DuckDB write the parts of an aggregate in which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.sql import literal, name, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

# So many of the most frequent values of a text are bins of their own
CATEGORIES = 20


@dataclass(frozen=True)
class Dialect:
    """The SQL of one engine; texts with braces are formats."""

    quote: Callable[[str], str]
    text: Callable[[Any], str]
    text_type: str
    row: str
    micros: str
    quantiles: str
    most_frequent: str


SPARK = Dialect(
    name,
    literal,
    "string",
    "struct({})",
    "unix_micros(max(cast({} as timestamp)))",
    "percentile_approx(cast({} as double), array({}))",
    f"transform(approx_top_k(cast({{}} as string), {CATEGORIES}), entry -> entry.item)",
)
DUCKDB = Dialect(
    quoted,
    lambda value: "'" + str(value).replace("'", "''") + "'",
    "varchar",
    "row({})",
    "epoch_us(max(cast({} as timestamp)))",
    "quantile_cont(cast({} as double), [{}])",
    f"approx_top_k(cast({{}} as varchar), {CATEGORIES})",
)
