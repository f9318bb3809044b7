"""docs/extend.md, "A row check": the documented file and line, put in place and used."""

from __future__ import annotations

import ast
import re
from decimal import Decimal

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest
import yaml

import contracts.checks
from contracts.checks.registry import CHECKS, checks_of
from contracts.compilers import gate
from contracts.compilers.expectation_suite import suite_document
from contracts.compilers.pandera_schema import pandera_schema
from contracts.errors import ContractError
from contracts.evolution.rule_diff import rule_changes
from contracts.parsing.load import load_domain
from lakehouse.settings import PROJECT
from tests import orders
from tests.unit.contracts.spark_sql import run

AMOUNT = 2
VALUES = [Decimal("1.2300"), Decimal("1.2345"), Decimal(-7), None, Decimal("0.001")]
MORE_THAN_TWO_PLACES = [1, 4]


@pytest.fixture
def documented(tmp_path, monkeypatch):
    """The check of docs/extend.md, in a file of `contracts.checks` and a line of the registry."""
    text = (PROJECT / "docs" / "extend.md").read_text(encoding="utf-8")
    section = text.partition("\n## A row check\n")[2].partition("\n## ")[0]
    file, line = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    (used,) = re.findall(r"^```yaml\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "decimals.py").write_text(file, encoding="utf-8")
    path = [*contracts.checks.__path__, str(tmp_path / "checks")]
    monkeypatch.setattr(contracts.checks, "__path__", path)
    for name, check in checks_of(ast.literal_eval(f"({line})")).items():
        monkeypatch.setitem(CHECKS, name, check)
    return yaml.safe_load(used)


def contract_with(folder, documented, **arguments):
    """Return the contract of orders whose amount has the documented check."""
    (rule,) = documented["quality"]
    document = orders.document()
    amount = document["schema"][0]["properties"][AMOUNT]
    amount |= {"physicalType": "decimal(10,4)", "logicalTypeOptions": {}}
    amount["quality"] = [rule | {"implementation": rule["implementation"] | arguments}]
    orders.write_contract(folder, document)
    return load_domain(folder, "shop")["orders"]


def test_a_documented_row_check_validates_rows_in_gate_and_pandera(contracts, documented):
    """One file and one line of the registry: the gate's SQL and the Pandera schema name the same rows."""
    contract = contract_with(contracts, documented).narrowed(("amount",))
    rows = pa.table({"amount": pa.array(VALUES, pa.decimal128(10, 4))})
    rows = rows.append_column("place", pa.array(range(len(VALUES))))
    failures = run(
        f"select place, {gate.failures(contract)} as failures "
        "from (select *, 'c' as _op, cast(null as map<string,string>) as _rescued from rows)",
        rows=rows,
    )
    failed = {
        row["place"]: [f["rule"] for f in row["failures"]] for row in failures if row["failures"]
    }
    assert failed == {place: ["decimal_places"] for place in MORE_THAN_TWO_PLACES}

    frame = pd.DataFrame({"amount": pd.Series(VALUES, dtype="object")})
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        pandera_schema(contract).validate(frame, lazy=True)
    cases = caught.value.failure_cases
    assert sorted(cases["index"]) == MORE_THAN_TWO_PLACES
    assert set(cases["check"]) == {"decimal_places"}


def test_a_documented_row_check_is_known_to_parser_suite_and_diff(contracts, documented):
    """Wrong arguments are refused with the line; without a GX type the gate alone has the rule."""
    contract = contract_with(contracts, documented)
    assert suite_document(contract)["meta"]["left_out"] == ["amount decimal_places"]
    stricter = contract_with(contracts, documented, places=1)
    ((column, change),) = rule_changes(contract, stricter)
    assert (column, change.message) == ("amount", "rule decimal_places changed from 2 to 1")
    assert change.tightened
    with pytest.raises(ContractError, match=r"orders\.yaml:\d+: .*places -1 is no length"):
        contract_with(contracts, documented, places=-1)
    with pytest.raises(ContractError, match="decimal_places takes places"):
        contract_with(contracts, documented, digits=2)
