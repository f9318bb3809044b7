"""Table lineage: which table is made from which, by the contracts and the SQL of gold.

The one source of edges between tables; column lineage is `gold.lineage`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contracts.compilers import table_descriptions
from contracts.compilers.vault_sql import views

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

SOURCE = re.compile(r"""\bsource\(\s*["'](\w+)["']\s*,\s*["'](\w+)["']\s*\)""")
REF = re.compile(r"""\bref\(\s*["'](\w+)["']\s*\)""")
JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
# Tables of silver that are loaded from bronze; rejected rows go no further
LOADED = ("hub", "link", "events")

Edge = tuple[str, str]


def table_edges(settings: Settings, domain: str, contracts: dict[str, Contract]) -> set[Edge]:
    """Return (upstream, table) for every table of a domain, a view replaced by the tables it reads."""
    needed_by = {
        f"silver.{view}": needed for view, (_, needed) in views(contracts.values(), domain).items()
    }
    edges = set()
    for upstream, table in (*_declared(domain, contracts), *_modelled(settings, domain)):
        for base in _base_tables(upstream, needed_by):
            edges.add((base, table))
    return edges


def upstream(edges: set[Edge], tables: Iterable[str]) -> list[str]:
    """Return the tables from which some tables are made, nearest first."""
    return _reached(edges, tables, 0)


def downstream(edges: set[Edge], tables: Iterable[str]) -> list[str]:
    """Return the tables that are made from some tables, nearest first."""
    return _reached(edges, tables, 1)


def source_tables(settings: Settings, domain: str) -> list[str]:
    """Return the tables that a domain's models read with `source()`, as `layer.table`."""
    return [
        f"{layer}.{table}"
        for _, text in _models(settings, domain)
        for layer, table in SOURCE.findall(text)
    ]


def _reached(edges: set[Edge], tables: Iterable[str], direction: int) -> list[str]:
    start = set(tables)
    reached: dict[str, None] = {}
    level = sorted(start)
    while level:
        following = {edge[direction] for edge in edges if edge[1 - direction] in level}
        level = sorted(following - {*reached, *start})
        reached.update(dict.fromkeys(level))
    return list(reached)


def _base_tables(name: str, needed_by: dict[str, list[str]]) -> list[str]:
    """Return the tables behind a view, through the views it reads; of a table itself."""
    if name not in needed_by:
        return [name]
    return [
        base for needed in needed_by[name] for base in _base_tables(f"silver.{needed}", needed_by)
    ]


def _declared(domain: str, contracts: dict[str, Contract]) -> Iterator[Edge]:
    for dataset, contract in contracts.items():
        bronze = f"bronze.{domain}__{dataset}"
        if contract.capture:
            yield f"source.{dataset}", bronze
        for table in table_descriptions.tables(contract):
            if table.kind in LOADED:
                yield bronze, table.name
        if contract.score:
            score = contract.score
            table = full_name("platinum", domain, score["table"])
            yield f"bronze.{domain}__{score['events']['dataset']}", table
            yield full_name("gold", domain, score["context"]["table"]), table
        if contract.enrich:
            source, table = contract.enrich["source"], contract.enrich["table"]
            yield full_name("gold", domain, source), full_name("platinum", domain, table)


def full_name(layer: str, domain: str, name: str) -> str:
    """Return a table's full name; a contract may leave out the layer, or the domain too."""
    named, _, table = name.rpartition(".")
    return f"{named or layer}.{table if '__' in table else f'{domain}__{table}'}"


def _modelled(settings: Settings, domain: str) -> Iterator[Edge]:
    for model, text in _models(settings, domain):
        for layer, name in SOURCE.findall(text):
            yield f"{layer}.{name}", f"gold.{model}"
        for name in REF.findall(text):
            yield f"gold.{name}", f"gold.{model}"


def _models(settings: Settings, domain: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the SQL of each model of a domain."""
    for path in sorted((settings.dbt_project / "models" / domain).rglob("*.sql")):
        yield path.stem, JINJA_COMMENT.sub("", path.read_text(encoding="utf-8"))
