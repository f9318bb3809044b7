"""What a dataset is made from and what is made from it, as a picture of the tables between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.layers import LAYERS
from pages.charts import flow_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markupsafe import Markup

    from operations.lineage import Edge

COLUMNS = ("source", *LAYERS)


def picture(
    found: set[Edge], own: Iterable[str], tables: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return the picture with the names of what is read and of what reads, nearest first."""
    own = list(own)
    above, below = _reached(found, own, 0), _reached(found, own, 1)
    names = {*own, *above, *below}
    inner = {edge for edge in found if set(edge) <= names and edge[0] != edge[1]}
    places: dict[tuple[int, int], list[str]] = {}
    for name in sorted(names):
        if _layer(name) in COLUMNS:
            place = COLUMNS.index(_layer(name)), _depth(name, inner)
            places.setdefault(place, []).append(name)
    columns = [
        {"layer": COLUMNS[layer], "boxes": [_box(name, tables) for name in members]}
        for (layer, _), members in sorted(places.items())
    ]
    drawn: Markup = flow_picture({"columns": columns, "edges": sorted(inner)})
    return {"picture": drawn, "above": above, "below": below}


def _depth(name: str, inner: set[Edge], seen: frozenset[str] = frozenset()) -> int:
    """Return how many tables of its own layer stand before a table, on the longest way."""
    before = [
        upstream
        for upstream, table in inner
        if table == name and _layer(upstream) == _layer(name) and upstream not in seen
    ]
    return max((1 + _depth(each, inner, seen | {name}) for each in before), default=0)


def _layer(name: str) -> str:
    return name.partition(".")[0]


def _reached(found: set[Edge], start: Iterable[str], direction: int) -> list[str]:
    """Return what is reached against the edges (0) or along them (1), level by level."""
    begun = set(start)
    reached: dict[str, None] = {}
    level = sorted(begun)
    while level:
        following = {edge[direction] for edge in found if edge[1 - direction] in level} - {
            *reached,
            *begun,
        }
        level = sorted(following)
        reached.update(dict.fromkeys(level))
    return list(reached)


def _box(name: str, tables: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    rows = (tables.get(name) or {}).get("rows")
    return {
        "key": name,
        "label": name.partition(".")[2].partition("__")[2] or name.partition(".")[2],
        "value": "" if rows is None else f"{rows:,}",
        "note": "behind" if (tables.get(name) or {}).get("behind") else "",
        "tables": [name],
    }
