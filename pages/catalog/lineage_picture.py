"""The lineage of a dataset as a picture: the tables it is made from, and those made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.layers import LAYERS
from operations.lineage import downstream, upstream
from pages.charts import flow_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markupsafe import Markup

    from operations.lineage import Edge

COLUMNS = ("source", *LAYERS)


def picture(
    edges: set[Edge], own: Iterable[str], tables: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return the picture, and the names of upstream and downstream tables, nearest first."""
    own = list(own)
    above, below = upstream(edges, own), downstream(edges, own)
    names = {*own, *above, *below}
    inner = {edge for edge in edges if set(edge) <= names and edge[0] != edge[1]}
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


def _depth(name: str, inner: set[Edge], visited: frozenset[str] = frozenset()) -> int:
    """Return the number of tables of its own layer on the longest path to a table."""
    before = [
        source
        for source, table in inner
        if table == name and _layer(source) == _layer(name) and source not in visited
    ]
    return max((1 + _depth(source, inner, visited | {name}) for source in before), default=0)


def _layer(name: str) -> str:
    return name.partition(".")[0]


def _box(name: str, tables: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    rows = (tables.get(name) or {}).get("rows")
    return {
        "key": name,
        "label": name.partition(".")[2].partition("__")[2] or name.partition(".")[2],
        "value": "" if rows is None else f"{rows:,}",
        "note": "behind" if (tables.get(name) or {}).get("behind") else "",
        "tables": [name],
    }
