"""What is wrong with a contract is one clear error with file and line, before any data moves."""

from __future__ import annotations

import ipaddress
import re
import sys

import pytest
import yaml

import domains
from contracts.errors import ContractError
from contracts.parsing.formats import pattern_of
from contracts.parsing.load import load_domain
from contracts.parsing.units import is_known
from lakehouse.runs.contract_versions import refuse_older
from lakehouse.runs.ledger import Ledger, Step
from lakehouse.storage.tables import Tables
from pipeline.run import run_layers
from tests import orders

AMOUNT, STATUS = 2, 3


def pandera(check, **arguments):
    return {"type": "custom", "engine": "pandera", "implementation": {"check": check, **arguments}}


def sql(query, **more):
    return {"type": "sql", "query": query, "mustBe": 0, **more}


def refused(folder, document, message):
    """Return the one line in which the contract of orders is refused."""
    orders.write_contract(folder, document)
    with pytest.raises(ContractError, match=r"^shop/orders\.yaml:\d+: ") as caught:
        load_domain(folder, "shop")
    lines = str(caught.value).splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("column", "part", "message"),
    [
        (AMOUNT, {"logicalTypeOptions": {"minimum": "x"}}, "is not of type 'number'"),
        (AMOUNT, {"logicalTypeOptions": {"minimum": 3, "exclusiveMaximum": 2}}, "is above"),
        (AMOUNT, {"logicalTypeOptions": {"format": "i31"}}, "'i31'"),
        (AMOUNT, {"quality": [pandera("str_length", min_value=1)]}, "does not validate a column of type"),
        (AMOUNT, {"quality": [pandera("in_range", min_value=3, max_value=2)]}, "minimum 3 is above"),
        (AMOUNT, {"quality": [pandera("isin", allowed_values=["x"])]}, "'x' is no decimal(10,2)"),
        (AMOUNT, {"quality": [pandera("isin", allowed_values=[])]}, "the list of values is empty"),
        (AMOUNT, {"quality": [pandera("greater_than", value=1)]}, "greater_than takes min_value"),
        (AMOUNT, {"quality": [pandera("unique_values_eq", values=[1])]}, "is a rule on the dataset"),
        (AMOUNT, {"quality": [pandera("no_such")]}, "'no_such' is not known to Pandera"),
        (AMOUNT, {"quality": [pandera("custom", function="os:remove")]}, "is no 'domains.shop."),
        (AMOUNT, {"quality": [pandera("custom", function="domains.shop.x:y")]}, "No module named"),
        (AMOUNT, {"quality": [{"metric": "invalidValues", "arguments": {"validValues": [1]},
                               "mustBeLessThan": 5}]}, "needs mustBe: 0"),
        (AMOUNT, {"customProperties": [{"property": "unit", "value": "furlongs"}]}, "'furlongs' is no"),
        (AMOUNT, {"relationships": [{"to": "lost.id"}]}, "refers to 'lost', which is no dataset"),
        (AMOUNT, {"relationships": [{"to": "orders.gone"}]}, "'orders.gone', which is not there"),
        (AMOUNT, {"relationships": [{"to": "orders.status"}]}, "but they are decimal(10,2) and string"),
        (STATUS, {"logicalTypeOptions": {"pattern": "(["}}, "bad pattern"),
        (STATUS, {"logicalTypeOptions": {"format": "emial"}}, "format 'emial' is none of email"),
        (STATUS, {"quality": [pandera("str_matches", pattern="a", flags="q")]}, "flags 'q'"),
        (STATUS, {"quality": [pandera("isin", allowed_values=[1])]}, "1 is no text; write '1'"),
        (STATUS, {"quality": [pandera("multiple_of", divisor=2)]}, "does not validate"),
        (STATUS, {"enum": [{"value": 1}]}, "1 is no text"),
        (STATUS, {"quality": [sql("select count(*) from {table} where {column} = gone")]}, "'gone'"),
    ],
)  # fmt: skip
def test_a_bad_rule_of_a_column_is_refused(contracts, column, part, message):
    """Each mistake in a column's rules is named; none is passed over."""
    document = orders.document()
    document["schema"][0]["properties"][column].pop("quality", None)
    document["schema"][0]["properties"][column] |= part
    refused(contracts, document, message)


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        (sql("select count(*) from {table} where gone > 1"), "names 'gone', which is no column"),
        (sql("select count(*) from {table} where amount >"), "query:"),
        (sql("select sum(amount) from {table} where amount > 1"), "a row rule reads:"),
        (sql("select count(*) from {table} where amount > 1", mustBe=3), "a row rule reads:"),
        (sql("select count(*) from other where amount > 1"), "a row rule reads:"),
        (
            sql("select count(*) from {table} where amount > rand()"),
            "not decided by one row's values",
        ),
        (
            sql("select count(*) from {table} where amount in (select 1)"),
            "not decided by one row's",
        ),
        (pandera("unique", columns=["gone"]), "'gone', which is not there"),
        (pandera("unique"), "unique takes columns"),
        (pandera("isin", allowed_values=[1]), "stands at a column"),
    ],
)
def test_a_bad_rule_of_the_dataset_is_refused(contracts, quality, message):
    """Each mistake in a rule over several columns is named."""
    document = orders.document()
    document["schema"][0]["quality"] = [quality]
    line = refused(contracts, document, message)
    text = (contracts / "shop" / "orders.yaml").read_text(encoding="utf-8").splitlines()
    number = int(line.split(":")[1])
    assert number >= text.index("  quality:") + 1


def test_a_condition_that_cannot_be_computed_is_null(contracts):
    """A row with a divisor of 0, or text that is no number, keeps the rule instead of failing the job."""
    document = orders.document()
    query = "select count(*) from ${table} where amount / (customer_id - 1) > 2 or cast(status as int) = 1"
    document["schema"][0]["quality"] = [sql(query, name="share")]
    orders.write_contract(contracts, document)
    (rule,) = load_domain(contracts, "shop")["orders"].row_rules
    assert set(rule.columns) == {"amount", "customer_id", "status"}
    assert "NULLIF((`customer_id` - 1), 0)" in rule.sql
    assert "TRY_CAST(`status` AS INT)" in rule.sql


def second(folder, name, columns, **properties):
    """Write another contract of the domain, with the parts of orders that it does not replace."""
    document = orders.document(id=f"shop-{name}")
    document["schema"] = [document["schema"][0] | {"name": name, "properties": columns}]
    document["customProperties"] = [
        {"property": "capture", "value": []},
        {"property": "vault", "value": properties},
    ]
    (folder / "shop" / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def test_references_in_a_circle_are_refused(contracts):
    """What is referred to is loaded first, so two datasets cannot refer to each other."""
    document = orders.document()
    document["schema"][0]["properties"][1]["relationships"] = [{"to": "customers.customer_id"}]
    orders.write_contract(contracts, document)
    key = orders._column("customer_id", "integer", "bigint", primaryKey=True)
    latest = orders._column(
        "latest", "integer", "bigint", relationships=[{"to": "orders.order_id"}]
    )
    second(contracts, "customers", [key, latest], hubs={"customer": ["customer_id"]}, satellite="c")
    with pytest.raises(
        ContractError, match=r"^shop/\w+\.yaml:\d+: .*circle: customers -> orders -> cust"
    ):
        load_domain(contracts, "shop")


def test_two_contracts_for_one_table_are_refused(contracts):
    """Two datasets cannot keep their events in one table."""
    orders.write_contract(contracts)
    key = orders._column("order_id", "integer", "bigint", primaryKey=True)
    second(contracts, "twins", [key], hubs={"order": ["order_id"]}, satellite="placed")
    with pytest.raises(
        ContractError, match=r"twins\.yaml:1: the table 'sat_placed' has a contract"
    ):
        load_domain(contracts, "shop")


def test_a_file_of_ten_megabytes_is_refused_unread(contracts):
    """A file that is no contract by its size alone is not parsed."""
    path = orders.write_contract(contracts)
    path.write_text("a: [" + "x," * 5_000_000 + "]", encoding="utf-8")
    with pytest.raises(ContractError, match=r"orders\.yaml:1: larger than 1,000,000 bytes"):
        load_domain(contracts, "shop")


def test_a_version_that_goes_back_is_refused_before_data_moves(settings):
    """What was carried under a version is not carried under an older one, and nothing is written."""
    orders.write_contract(settings.contracts, orders.document(version="1.2.0"))
    tables = Tables.at(settings)
    with Ledger(tables).run("shop") as run:
        run.record(
            Step(run.number, "shop", "bronze", "bronze.shop__orders", contract_version="1.10.0")
        )
    orders.land_events(settings, "a.jsonl", [orders.event("c", 1, orders.order(1))])
    with pytest.raises(
        ContractError, match=r"^shop/orders.yaml:4: version 1\.2\.0 is older than 1\.10\.0"
    ):
        run_layers(settings, "shop", ("bronze",))
    assert len(Ledger(tables).runs("shop")) == 1
    contracts = load_domain(settings.contracts, "shop")
    Ledger(tables).mark_rolled_back(Ledger(tables).runs("shop"), 2)
    refuse_older(tables, "shop", contracts)


def test_a_check_of_the_domains_own_package_is_found(contracts, tmp_path, monkeypatch):
    """A function of the domain, or a check that its module registers, is a rule like any other."""
    package = tmp_path / "code" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "checks.py").write_text(
        "from pandera import extensions\n\n\n"
        "@extensions.register_check_method(statistics=['most'])\n"
        "def at_most_letters(values, *, most):\n    return values.str.len() <= most\n\n\n"
        "def is_round(values):\n    return values.map(lambda value: value == value.to_integral_value())\n"
    )
    monkeypatch.setattr(domains, "__path__", [*domains.__path__, str(tmp_path / "code")])
    document = orders.document()
    properties = document["schema"][0]["properties"]
    properties[AMOUNT]["quality"] = [pandera("custom", function="domains.shop.checks:is_round")]
    properties[STATUS]["quality"] = [pandera("at_most_letters", most=4)]
    orders.write_contract(contracts, document)
    try:
        contract = load_domain(contracts, "shop")["orders"]
        assert {rule.source for rule in contract.rules if rule.source} == {
            "domains.shop.checks:is_round", "domains.shop.checks",
        }  # fmt: skip
        properties[AMOUNT]["quality"] = [pandera("custom", function="domains.shop.checks:gone")]
        refused(contracts, document, "has no function 'gone'")
        properties[AMOUNT]["quality"] = [pandera("at_most_letters", most=4, least=1)]
        refused(contracts, document, "at_most_letters")
    finally:
        for name in ("domains.shop.checks", "domains.shop"):
            sys.modules.pop(name, None)


def test_units_are_currencies_and_ucum():
    """A unit is one that others can read, also where it is derived."""
    assert all(
        map(
            is_known, ["USD", "kg", "km/h", "m/s2", "USD/kg", "Cel", "%", "{box}", "d", "ms", "kWh"]
        )
    )
    assert not any(map(is_known, ["", "usd", "furlong", "USDD", "kgs", "/"]))


def test_formats_are_what_their_names_say():
    """Addresses are those that Python's own reader takes; a date is one of the calendar."""
    for text in ("::", "::1", "1::", "1:2:3:4:5:6:7:8", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4",
                 "1:2:3:4:5:6:7::", ":::", "1::2::3", "1:2:3", "12345::", "1:2:3:4:5:6:7:8:9", "::1.2.3.256"):  # fmt: skip
        try:
            good = bool(ipaddress.IPv6Address(text))
        except ipaddress.AddressValueError:
            good = False
        good = good or text == "::"
        assert bool(re.match(pattern_of("ipv6"), text)) == good, text
    dates = {
        "2024-02-29": 1,
        "2023-02-29": 0,
        "1900-02-29": 0,
        "2000-02-29": 1,
        "2024-04-31": 0,
        "2024-04-30\n": 0,
    }
    for text, good in dates.items():
        assert bool(re.match(pattern_of("date"), text)) == good, text
    for text, good in {"a@b.de": 1, "a@b": 1, "@b": 0, "a b@c": 0, "a@-b": 0}.items():
        assert bool(re.match(pattern_of("email"), text)) == good, text
