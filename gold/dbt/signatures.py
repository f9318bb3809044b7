"""What a model and its audit are made of, as hashes: a model whose hash changed is rebuilt."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# Configuration that says nothing of a table's rows
DESCRIPTIVE = {"access", "docs", "enabled", "group", "meta", "packages", "static_analysis", "tags"}


@dataclass(frozen=True)
class Signature:
    """Hashes of a model (its SQL, macros, configuration and columns) and of its audits."""

    model: str = ""
    audit: str = ""


def signature(manifest: Any, key: str) -> Signature:
    """Return the signature of a model of dbt's manifest.

    Of macros those of the project count, near and far; dbt's and the adapter's are the engine's.
    """
    node = manifest.nodes[key]
    config = {
        name: value for name, value in node.config.to_dict().items() if name not in DESCRIPTIVE
    }
    columns = [[column.name, column.data_type] for column in node.columns.values()]
    model = [node.raw_code, config, columns, _macros(manifest, node)]
    audits = [
        [test.name, test.test_metadata.kwargs, test.config.severity, _macros(manifest, test)]
        for test in audits_of(manifest, key)
    ]
    return Signature(_hash(model), _hash(audits))


def audits_of(manifest: Any, key: str) -> list[Any]:
    """Return the generic tests of a model, by name."""
    tests = [
        node
        for node in manifest.nodes.values()
        if node.resource_type == "test" and node.attached_node == key and node.test_metadata
    ]
    return sorted(tests, key=lambda test: test.name)


def _macros(manifest: Any, node: Any) -> list[str]:
    """Return the text of the project's macros that a node names, directly or by way of others.

    By its text: dbt lists the macros that were called when it rendered the node, which a model does
    differently for a first build, and adds to the list whenever it renders again.
    """
    texts: dict[str, str] = {}
    named = set(re.findall(r"\w+", node.raw_code))
    left = [
        key
        for key, macro in manifest.macros.items()
        if macro.package_name == node.package_name and macro.name in named
    ]
    while left:
        key = left.pop()
        macro = manifest.macros.get(key)
        if macro is None or key in texts or macro.package_name != node.package_name:
            continue
        texts[key] = macro.macro_sql
        left += macro.depends_on.macros
    return [texts[key] for key in sorted(texts)]


def _hash(parts: Iterable[Any]) -> str:
    text = json.dumps(list(parts), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
