"""What sqlfluff reads in place of the dbt macros that need dbt or a database to run.

Models are linted in their incremental form: as if tables existed and had batch 1.
"""

from __future__ import annotations


def watermark() -> int:
    """Return the greatest batch of the table as it would stand."""
    return 1


def bounds_of(_relation: object, _day: str) -> tuple[str, str]:
    """Return the last day and the greatest batch of the table as it would stand."""
    return "cast('2017-12-31' as date)", "1"


def cached(_name: str, query: str, _since: int = 1) -> str:
    """Return the query as a relation."""
    return f"({query})"


def distinct_values(column: str, _since: int) -> str:
    """Return how many values of a column differ."""
    return f"count(distinct {column})"


def range_of(_relation: object, _column: str, type: str) -> tuple[str, str]:  # noqa: A002 - dbt's
    """Return the least and the greatest value of a column as they would be."""
    return f"cast('1' as {type})", f"cast('9' as {type})"


def newer(since: int) -> str:
    """Return the condition that keeps newer events."""
    return f"_batch > {since}"


def touched_events(relation: object, key: str, since: int, within: str | None = None) -> str:
    """Return a query with the columns of the relation."""
    bounded = f" and {within.partition(' ')[0]} is not null" if within else ""
    return f"select * from {relation} where {key} is not null and {newer(since)}{bounded}"


def touched_members(relation: object, _key: str, columns: list[str], since: int) -> str:
    """Return a query with the given columns."""
    return f"select distinct {', '.join(columns)} from {relation} where {newer(since)}"


def current_links(relation: object, _key: str, columns: list[str]) -> str:
    """Return a query with the given columns and the batch."""
    return f"select {', '.join(columns)}, _batch from {relation}"
