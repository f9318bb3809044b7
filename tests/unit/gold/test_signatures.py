"""What a model's signature notices: its SQL, its macros, its columns and its audits; no description."""

from __future__ import annotations

from types import SimpleNamespace as Node

from gold.dbt.signatures import signature


class Config:
    """A node's configuration."""

    severity = "ERROR"

    def __init__(self, **values):
        self.values = values

    def to_dict(self):
        return self.values


def macro(name, text, *calls, package="lakehouse"):
    depends_on = Node(macros=list(calls))
    return Node(name=name, package_name=package, macro_sql=text, depends_on=depends_on)


def manifest(**changed):
    """A model that calls one macro of the project, which calls another, and one of dbt's own."""
    given = {
        "sql": "select {{ near(1) }} {{ dbt() }} {% if since < 0 %} {{ first() }} {% endif %}", "type": "int", "description": "", "near": "n", "far": "f", "first": "1", "dbt": "d",
        "unused": "u", "audited": "a", "key": ["id"], "tags": [], "unique_key": "id",
    } | changed  # fmt: skip
    columns = {"id": Node(name="id", data_type=given["type"], description=given["description"])}
    return Node(
        nodes={
            "m": Node(
                resource_type="model", package_name="lakehouse", raw_code=given["sql"],
                config=Config(unique_key=given["unique_key"], tags=given["tags"]), columns=columns,
            ),
            "t": Node(
                resource_type="test", package_name="lakehouse", attached_node="m", name="audit",
                test_metadata=Node(kwargs={"key": given["key"]}), config=Config(),
                raw_code="{{ test_audited(**kwargs) }}",
            ),
        },
        macros={
            "m.near": macro("near", given["near"], "m.far"),
            "m.far": macro("far", given["far"], "m.near"),
            "m.first": macro("first", given["first"]),
            "m.dbt": macro("dbt", given["dbt"], package="dbt"),
            "m.unused": macro("unused", given["unused"]),
            "m.audited": macro("test_audited", given["audited"]),
        },
    )  # fmt: skip


def changed(**values):
    """Whether a change shows in the signature of the model, and in that of its audit."""
    before, after = signature(manifest(), "m"), signature(manifest(**values), "m")
    return before.model != after.model, before.audit != after.audit


def test_what_decides_a_models_rows_changes_its_signature():
    """SQL, a column's type, configuration, and a macro: called directly, through another, in a branch."""
    for values in ({"sql": "select 2"}, {"type": "bigint"}, {"unique_key": "x"}, {"near": "."}, {"far": "."}, {"first": "."}):  # fmt: skip
        assert changed(**values) == (True, False), values


def test_what_decides_no_row_leaves_the_signature():
    """A description, a tag, a macro that nothing calls, and a macro of dbt itself."""
    for values in ({"description": "."}, {"tags": ["x"]}, {"unused": "."}, {"dbt": "."}):
        assert changed(**values) == (False, False), values


def test_a_changed_audit_changes_the_audits_signature_only():
    """The arguments of the audit in YAML, and the macro of the audit."""
    assert changed(key=["id", "day"]) == (False, True)
    assert changed(audited=".") == (False, True)
