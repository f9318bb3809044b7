"""Which models depend on which tables, from dbt's manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def blocked(
    manifest: Any, mine: Mapping[str, TableName], names: Iterable[TableName]
) -> tuple[list[TableName], list[TableName]]:
    """Return the stored models that are blocked while some sources are, and all sources they read.

    A model is blocked that reads one of them, and one whose audit does: unaudited, it is not
    published. `mine` are the domain's stored models by dbt's unique id.
    """
    sources = {
        key: TableName(source.schema, source.name) for key, source in manifest.sources.items()
    }
    audits = [
        (node.attached_node, node.depends_on.nodes)
        for node in manifest.nodes.values()
        if node.resource_type == "test" and node.attached_node
    ]
    stopped = set(names)
    reached = {key for key, name in sources.items() if name in stopped}
    size = 0
    while size != len(reached):
        size = len(reached)
        below = {key for key in mine if not reached.isdisjoint(above(manifest, key))}
        audited = {key for key, read in audits if key in mine and not reached.isdisjoint(read)}
        reached |= below | audited
    models = [key for key in mine if key in reached]
    read = set().union(*[above(manifest, key) for key in models])
    return sorted(mine[key] for key in models), sorted(sources[k] for k in read if k in sources)


def with_readers(manifest: Any, models: Iterable[str], changed: Iterable[str]) -> set[str]:
    """Return those of some models that are among the changed nodes or read one of them, near or far."""
    origin = set(changed)
    return {key for key in models if key in origin or not origin.isdisjoint(above(manifest, key))}


def above(manifest: Any, key: str) -> set[str]:
    """Return everything that a node is derived from, near or far."""
    nodes: set[str] = set()
    left = list(manifest.parent_map.get(key, ()))
    while left:
        parent = left.pop()
        if parent not in nodes:
            nodes.add(parent)
            left += manifest.parent_map.get(parent, ())
    return nodes
