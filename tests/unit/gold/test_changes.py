"""What a build has to do, from the last publication, the versions of silver and dbt's manifest."""

from __future__ import annotations

from types import SimpleNamespace as Node

import pytest

from gold.changes import Changes
from gold.dbt.project import Project
from gold.publish import Publication
from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName

A, B = TableName("silver", "toy__a"), TableName("silver", "toy__b")
FACT, MART, OTHER = (TableName("gold", f"toy__{name}") for name in ("fact", "mart", "other"))
PARENTS = {"m.fact": ["s.a"], "m.mart": ["m.fact"], "m.other": ["s.b"]}


class Config:
    """A model's configuration: a table."""

    materialized, severity = "incremental", "ERROR"

    def to_dict(self):
        return {"materialized": self.materialized}


def manifest(without=(), **sql):
    """A mart over a fact over one source, and a model over another; the fact has an audit."""
    models = {
        key: Node(
            resource_type="model", package_name="p", fqn=["p", "toy", name.table], schema="gold",
            alias=name.table, name=name.table, raw_code=sql.get(key[2:], "select 1"), columns={},
            config=Config(), depends_on=Node(macros=[]),
        )
        for key, name in {"m.fact": FACT, "m.mart": MART, "m.other": OTHER}.items()
        if key[2:] not in without
    }  # fmt: skip
    audit = Node(
        resource_type="test", package_name="p", attached_node="m.fact", name="audit", config=Config(),
        test_metadata=Node(name="audited", kwargs={"key": sql.get("audit", "id")}),
        depends_on=Node(macros=[], nodes=["m.fact"]), raw_code="",
    )  # fmt: skip
    sources = {
        "s.a": Node(schema="silver", name=A.table),
        "s.b": Node(schema="silver", name=B.table),
    }
    return Node(nodes=models | {"t": audit}, sources=sources, macros={}, parent_map=PARENTS)


@pytest.fixture
def project(tmp_path):
    """A function that returns the project with a manifest."""
    (tmp_path / "dbt_project.yml").write_text("")
    settings = Settings(home=tmp_path, dbt_project=tmp_path)
    return lambda *without, **sql: Project(settings, "toy", manifest(without, **sql))


def changes(project, last, consumed=None, **given):
    options = {"full_refresh": False, "rebuilt": (), "blocked": ()} | given
    return Changes.of(project, last, consumed or {A: 1, B: 1}, **options)


def published(project, run=5):
    """What a first build of a project publishes: each table at version 0."""
    first = changes(project, None)
    assert first.keys == set(project.models())
    after = dict.fromkeys(project.tables().values(), 0)
    built = [Node(table=name, query="") for name in after]
    return first.publication(run, after, built)


def test_nothing_new_is_nothing_to_do(project):
    """The same silver and the same project."""
    assert not changes(project(), published(project()))


def test_new_rows_rebuild_nothing(project):
    """Dbt is to run what reads the source that moved; the watermark is the last publication's batch."""
    due = changes(project(), published(project()), {A: 2, B: 1})
    assert (due.moved, due.keys, due.since) == ([A], set(), 5)
    assert due.selection == ["source:silver.toy__a+,path:models/toy"]


def test_a_changed_model_is_rebuilt_with_its_readers(project):
    """And no other; new rows of another source are brought in beside it."""
    due = changes(project(fact="select 2"), published(project()), {A: 1, B: 2})
    assert due.rebuilt == {FACT, MART}
    assert due.selection == ["source:silver.toy__b+,path:models/toy", "toy__fact", "toy__mart"]


def test_an_added_model_is_rebuilt_alone_and_a_removed_one_unpublished(project):
    """A model that the last publication does not know is built from nothing."""
    before = published(project("mart"))
    assert MART not in before.versions
    due = changes(project(), before)
    assert due.rebuilt == {MART}
    after = due.publication(6, {FACT: 0, MART: 0, OTHER: 0}, [Node(table=MART, query="")])
    assert changes(project("mart"), after).publication(7, {FACT: 0, OTHER: 0}, []).versions == {
        FACT: 0, OTHER: 0,
    }  # fmt: skip


def test_a_changed_audit_builds_nothing(project):
    """Dbt is to run the audit, on all rows."""
    due = changes(project(audit="day"), published(project()))
    assert (due.rebuilt, due.audited, due.selection) == (set(), {FACT}, ["audit"])


def test_a_blocked_model_that_changed_stays_due(project):
    """It is published as it was, by its old signature, and the project counts as not built."""
    before = published(project())
    changed = project(fact="select 2", other="select 3")
    due = changes(changed, before, {A: 2, B: 1}, blocked=[A])
    assert due.blocked == [FACT, MART]
    publication = due.publication(6, {FACT: 1, MART: 0, OTHER: 1}, [Node(table=OTHER, query="")])
    assert publication.versions == {FACT: 0, MART: 0, OTHER: 1}
    assert (publication.code, publication.loaded) == ("", 5)
    assert publication.consumed == {A: 1, B: 1}
    assert changes(changed, publication, {A: 2, B: 1}).rebuilt == {FACT, MART}
    assert not changes(project(), before, {A: 2, B: 1}, blocked=[A])


def test_what_is_named_is_rebuilt_whatever_was_published(project):
    """A rebuild of a table of silver or gold: it and what reads it."""
    last = published(project())
    assert changes(project(), last, rebuilt=[FACT]).rebuilt == {FACT, MART}
    assert changes(project(), last, rebuilt=[B]).rebuilt == {OTHER}
    assert changes(project(), last, full_refresh=True).rebuilt == {FACT, MART, OTHER}


def test_a_publication_without_code_rebuilds_everything(project):
    """As a killed rebuild leaves it: nothing that was published counts as built by this project."""
    last = published(project())
    gone = Publication(5, "toy", last.versions, {}, last.consumed, "")
    assert changes(project(), gone).rebuilt == {FACT, MART, OTHER}
