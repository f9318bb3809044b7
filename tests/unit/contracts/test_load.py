"""Contracts are loaded whole or refused with file and line."""

from __future__ import annotations

import pytest

from contracts.errors import ContractError
from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.settings import PROJECT
from tests import orders


def test_every_shipped_contract_loads():
    """Each domain's contracts hold to the standard and to the engine's declarations."""
    folder = PROJECT / "contracts"
    assert "retail" in domains(folder)
    for domain in domains(folder):
        for contract in load_domain(folder, domain).values():
            assert contract.version
            assert contract.owner, contract.file
            assert contract.description, contract.file
            assert contract.columns or contract.score or contract.features or contract.enrich


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("version: 1.0.0", "version: 1.x", "no major.minor.patch"),
        ("required: true", "requird: true", "'requird' was unexpected"),
        ("physicalType: bigint", "physicalType: bigit", "'bigit' is no Spark type"),
        ("minimum: 0", "minimun: 0", "'minimun'"),
        ("minimum: 0", "{minimum: 3, maximum: 2}", "minimum 3 is above maximum 2"),
        ("satellite: placed", "satelite: placed", "satelite"),
        ("- customer_id\n", "- custmer_id\n", "'custmer_id', which is not there"),
        ("metric: invalidValues", "metric: validValues", "validValues"),
        ("property: vault", "property: valt", "unknown property 'valt'"),
        ("kind: DataContract", "kind: : x", "not readable as YAML"),
        ("domain: shop", "domain: store", "lies in the folder of 'shop'"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(contracts, good, bad, message):
    """A typo anywhere in a contract is one clear error before any data moves."""
    path = orders.write_contract(contracts)
    text = path.read_text(encoding="utf-8")
    assert good in text
    if bad.startswith("{"):
        text = text.replace("logicalTypeOptions:\n      " + good, "logicalTypeOptions: " + bad)
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(ContractError, match=r"^shop/orders\.yaml:\d+: ") as caught:
        load_domain(contracts, "shop")
    assert message in str(caught.value)


def test_a_bad_pattern_is_refused(contracts):
    """A regular expression that does not compile is an error of the contract."""
    document = orders.document()
    document["schema"][0]["properties"][3]["logicalTypeOptions"] = {"pattern": "(["}
    orders.write_contract(contracts, document)
    with pytest.raises(ContractError, match="bad pattern"):
        load_domain(contracts, "shop")


def test_two_contracts_for_one_dataset_are_refused(contracts):
    """One dataset has one contract."""
    path = orders.write_contract(contracts)
    path.with_name("twin.yaml").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ContractError, match="has a contract already"):
        load_domain(contracts, "shop")


def test_an_unknown_domain_names_the_known_ones(contracts):
    """The error for a mistyped domain lists the domains there are."""
    orders.write_contract(contracts)
    with pytest.raises(ContractError, match="there is: shop"):
        load_domain(contracts, "shopp")


def test_yaml_that_would_explode_is_refused(contracts):
    """A file of nested aliases is refused before it is expanded."""
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    (contracts / "shop").mkdir()
    (contracts / "shop" / "bomb.yaml").write_text(bomb, encoding="utf-8")
    with pytest.raises(ContractError, match="aliases"):
        load_domain(contracts, "shop")
