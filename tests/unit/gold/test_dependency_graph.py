"""Which models are blocked with a table of silver, and which are rebuilt with a model."""

from __future__ import annotations

from types import SimpleNamespace as Node

from gold.dbt.dependency_graph import blocked, with_readers
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


def test_what_is_derived_from_a_blocked_source_is_blocked():
    """A source blocks what is derived from it in any number of steps, and nothing else."""
    models, unread = blocked(manifest({}), MODELS, [source("a")])
    assert models == [table("dim_a"), table("fct"), table("mart")]
    assert unread == [source("a")]


def test_what_is_audited_against_a_blocked_table_is_blocked():
    """The fact is audited against the blocked dimension: unaudited it is not published."""
    models, unread = blocked(manifest({"m.fct": ["m.dim_b"]}), MODELS, [source("b")])
    assert models == [table("dim_b"), table("fct"), table("mart")]
    assert unread == [source("a"), source("b")]


def test_a_changed_model_is_rebuilt_with_its_readers():
    """The model itself and what reads it, near or far; a source counts as a model does."""
    assert with_readers(manifest({}), MODELS, ["m.fct"]) == {"m.fct", "m.mart"}
    assert with_readers(manifest({}), MODELS, ["s.b", "m.other"]) == {"m.dim_b", "m.other"}
    assert with_readers(manifest({}), MODELS, []) == set()
