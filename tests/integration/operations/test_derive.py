"""What follows from contracts is written by `contracts derive` alone, and an edit by hand is found."""

from __future__ import annotations

import json

import pytest
import sqlglot
import yaml

from contracts.compilers.ddl import ddl
from contracts.compilers.expectation_suite import suite_document
from contracts.compilers.table_descriptions import tables
from contracts.errors import ContractError
from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.settings import PROJECT, Settings
from operations.authoring.derive import MARK, derive, differences
from tests.orders import document, write_contract


@pytest.fixture
def project(tmp_path):
    """Settings of a project with the orders' contract and one model that reads their events."""
    settings = Settings(
        home=tmp_path, contracts=tmp_path / "contracts", dbt_project=tmp_path / "dbt"
    )
    write_contract(settings.contracts)
    model = settings.dbt_project / "models" / "shop" / "shop__fct_order.sql"
    model.parent.mkdir(parents=True)
    reads = (
        "{{ source('silver', 'shop__sat_placed') }} join {{ source('silver', 'shop__hub_order') }}"
    )
    model.write_text(f"select * from {reads}", encoding="utf-8")
    return settings


@pytest.mark.parametrize("domain", domains(PROJECT / "contracts"))
def test_nothing_derived_was_edited_by_hand(domain):
    """Every derived file of the project is what its contracts say; `contracts derive` writes them."""
    settings = Settings(contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project")
    assert differences(settings, domain) == []


def test_an_edit_by_hand_is_named_and_overwritten(lakehouse, project, monkeypatch):
    """`--check` exits 1 with the file and the lines; derived again, it is what it was."""
    monkeypatch.setenv("LAKEHOUSE_CONTRACTS", str(project.contracts))
    monkeypatch.setenv("LAKEHOUSE_DBT_PROJECT", str(project.dbt_project))
    from lakehouse.settings import settings

    settings.cache_clear()
    assert lakehouse("contracts", "derive").code == 0
    assert lakehouse("contracts", "derive", "--check").code == 0
    file = project.dbt_project / "models" / "shop" / "_sources.yml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("bigint", "int", 1), encoding="utf-8")
    ended = lakehouse("contracts", "derive", "shop", "--check")
    assert ended.code == 1
    assert f"{file}: differs" in ended.out
    assert "-      data_type: int" in ended.out
    assert lakehouse("contracts", "derive", "shop").code == 0
    assert file.read_text(encoding="utf-8") == before
    settings.cache_clear()


def test_a_changed_contract_changes_what_follows(project):
    """The dbt YAML differs until it is derived again."""
    derive(project, "shop")
    contract = document()
    contract["schema"][0]["properties"][2]["description"] = "What was paid."
    write_contract(project.contracts, contract)
    assert [file.file.name for file in differences(project, "shop")] == ["_sources.yml"]
    derive(project, "shop")
    assert differences(project, "shop") == []


@pytest.mark.parametrize("folder", ["contracts/shop/derived", "dbt/models/shop"])
def test_a_derived_file_without_a_contract_is_removed(project, folder):
    """Also one of a version that wrote DDL and suites; a file without the mark stays."""
    derive(project, "shop")
    own = project.home / folder / "note.sql"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("-- by hand", encoding="utf-8")
    left = own.with_name("gone.sql")
    left.write_text(f"-- Made from contracts/shop/gone.yaml {MARK}.", encoding="utf-8")
    (file,) = derive(project, "shop")["files"]
    assert (file["file"], file["status"]) == (str(left), "left over")
    assert own.exists()
    assert not left.exists()


def test_sql_that_reads_what_no_contract_makes_is_an_error(project):
    """The table is named before dbt would have been started."""
    folder = project.dbt_project / "models" / "shop"
    (folder / "shop__x.sql").write_text("from {{ source('silver', 'shop__sat_plcaed') }}")
    with pytest.raises(ContractError, match=r"silver\.shop__sat_plcaed, which no contract makes"):
        derive(project, "shop")


def test_sources_carry_types_descriptions_and_tests(project):
    """The events have not_null, accepted_values and relationships where the contract says so."""
    derive(project, "shop")
    file = project.dbt_project / "models" / "shop" / "_sources.yml"
    (source,) = yaml.safe_load(file.read_text(encoding="utf-8"))["sources"]
    events = next(table for table in source["tables"] if table["name"] == "shop__sat_placed")
    columns = {column["name"]: column for column in events["columns"]}
    tests = {
        name: [next(iter(test)) for test in column.get("data_tests", ())]
        for name, column in columns.items()
    }
    assert columns["amount"]["data_type"] == "decimal(10,2)"
    assert tests["customer_id"] == ["not_null"]
    assert tests["status"] == ["accepted_values"]
    assert tests["order_hk"] == ["not_null", "relationships"]
    assert tests["customer_hk"] == ["not_null"], "the SQL does not read that hub"
    (accepted,) = columns["status"]["data_tests"]
    assert accepted["accepted_values"]["arguments"]["values"] == ["open", "paid"]


@pytest.mark.parametrize("domain", domains(PROJECT / "contracts"))
def test_ddl_is_readable_and_names_every_column(domain):
    """Each statement makes a Delta table whose columns and comments are the description's."""
    for contract in load_domain(PROJECT / "contracts", domain).values():
        made = [table for table in tables(contract) if not table.is_view]
        statements = [s for s in sqlglot.parse(ddl(contract), read="spark") if s is not None]
        assert len(statements) == len(made)
        for table, statement in zip(made, statements, strict=True):
            columns = statement.this.expressions
            assert [column.name for column in columns] == [column.name for column in table.columns]
            comments = {
                column.name: constraint.kind.this.this
                for column in columns
                for constraint in column.constraints
                if isinstance(constraint.kind, sqlglot.exp.CommentColumnConstraint)
            }
            assert comments == table.comments


def test_expectations_find_what_the_gate_would(tmp_path):
    """Great Expectations itself runs the suite: each planted fault fails its own expectation only."""
    import great_expectations as gx
    import pandas as pd

    columns = document()["schema"][0]["properties"]
    columns[0]["logicalTypeOptions"] = {"minimum": 1}
    write_contract(tmp_path)
    contract = load_domain(tmp_path, "shop")["orders"]
    suite = json.loads(json.dumps(suite_document(contract)))
    context = gx.get_context(mode="ephemeral")
    gx_suite = gx.ExpectationSuite(name=suite["name"], expectations=suite["expectations"])
    batch = (
        context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    )  # fmt: skip
    rows = {
        "order_id": [1, 2, 2, 3],
        "customer_id": [7, None, 7, 7],
        "amount": [5.0, 5.0, -1.0, None],
        "status": ["open", "paid", "lost", None],
    }
    result = batch.get_batch({"dataframe": pd.DataFrame(rows)}).validate(gx_suite)
    failed = [
        (outcome.expectation_config.type, outcome.expectation_config.kwargs.get("column"))
        for outcome in result.results
        if not outcome.success
    ]
    assert failed == [
        ("expect_column_values_to_be_unique", "order_id"),
        ("expect_column_values_to_not_be_null", "customer_id"),
        ("expect_column_values_to_be_between", "amount"),
        ("expect_column_values_to_be_in_set", "status"),
    ]


@pytest.mark.parametrize("domain", domains(PROJECT / "contracts"))
def test_every_rule_has_an_expectation_that_exists(domain):
    """No type and no argument is made up: Great Expectations builds each of them."""
    import great_expectations as gx

    for contract in load_domain(PROJECT / "contracts", domain).values():
        suite = suite_document(contract)
        gx.ExpectationSuite(name=suite["name"], expectations=suite["expectations"])
        rules = {(e["kwargs"].get("column"), e["meta"].get("rule")) for e in suite["expectations"]}
        rules |= {(c, "required") for c, rule in rules if rule == f"{c} is null"}
        lost = {(rule.column, rule.label) for rule in contract.rules} - rules
        assert {f"{column} {label}" for column, label in lost} == set(suite["meta"]["left_out"])
