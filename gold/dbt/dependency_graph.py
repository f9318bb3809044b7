"""What has to wait while some tables of silver do, told from dbt's manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def held_back(
    manifest: Any, mine: Mapping[str, TableName], names: Iterable[TableName]
) -> tuple[list[TableName], list[TableName]]:
    """Return the stored models that wait while some sources do, and all sources that they read.

    A model waits that reads one of them, and one whose audit does: unaudited, it is not shown.
    `mine` are the domain's stored models by dbt's unique id.
    """
    sources = {key: TableName(one.schema, one.name) for key, one in manifest.sources.items()}
    audits = [
        (node.attached_node, node.depends_on.nodes)
        for node in manifest.nodes.values()
        if node.resource_type == "test" and node.attached_node
    ]
    stopped = set(names)
    waiting = {key for key, name in sources.items() if name in stopped}
    size = 0
    while size != len(waiting):
        size = len(waiting)
        below = {key for key in mine if not waiting.isdisjoint(above(manifest, key))}
        audited = {key for key, read in audits if key in mine and not waiting.isdisjoint(read)}
        waiting |= below | audited
    held = [key for key in mine if key in waiting]
    read = set().union(*[above(manifest, key) for key in held])
    return sorted(mine[key] for key in held), sorted(sources[k] for k in read if k in sources)


def above(manifest: Any, key: str) -> set[str]:
    """Return everything that a node is derived from, near or far."""
    found: set[str] = set()
    left = list(manifest.parent_map.get(key, ()))
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += manifest.parent_map.get(each, ())
    return found
