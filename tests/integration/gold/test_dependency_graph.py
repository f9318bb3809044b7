"""What waits while a table of silver is stopped: what reads it, and what cannot be audited."""

from __future__ import annotations

from types import SimpleNamespace as Node

from gold.dbt.dependency_graph import held_back
from lakehouse.storage.tables import TableName


def table(name):
    return TableName("gold", name)


def source(name):
    return TableName("silver", name)


def manifest(audits):
    """Two dimensions over a source each, a fact over the first, a mart over the fact."""
    return Node(
        sources={f"s.{name}": Node(schema="silver", name=name) for name in ("a", "b", "c")},
        nodes={
            f"t.{number}": Node(
                resource_type="test", attached_node=model, depends_on=Node(nodes=[model, *read])
            )
            for number, (model, read) in enumerate(audits.items())
        },
        parent_map={"m.dim_a": ["s.a"], "m.dim_b": ["s.b"], "m.fct": ["m.dim_a"], "m.mart": ["m.fct"],
                    "m.other": ["s.c"]},
    )  # fmt: skip


MODELS = {f"m.{name}": table(name) for name in ("dim_a", "dim_b", "fct", "mart", "other")}


def test_what_is_derived_from_it_waits_with_all_that_it_reads():
    """A stopped source holds back what is above it in any number of steps, and nothing else."""
    held, unread = held_back(manifest({}), MODELS, [source("a")])
    assert held == [table("dim_a"), table("fct"), table("mart")]
    assert unread == [source("a")]


def test_what_is_audited_against_it_waits_too():
    """The fact is audited against the stopped dimension: unaudited it is not published."""
    held, unread = held_back(manifest({"m.fct": ["m.dim_b"]}), MODELS, [source("b")])
    assert held == [table("dim_b"), table("fct"), table("mart")]
    assert unread == [source("a"), source("b")]
