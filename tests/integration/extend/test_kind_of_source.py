"""The example of a kind of source in docs/extend.md is carried out: a contract names it, a run reads it."""

from __future__ import annotations

import importlib.util
import re

import pytest

from bronze.readers import READERS
from contracts.errors import ContractError
from contracts.model import capture_formats
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach
from lakehouse.settings import PROJECT
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

HEADER = "order_id\tcustomer_id\tamount\tstatus\tchannel\n"


def example(section):
    """Return the code blocks of a section of docs/extend.md: the file, and its line of the registry."""
    text = (PROJECT / "docs" / "extend.md").read_text(encoding="utf-8")
    body = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", body, re.DOTALL | re.MULTILINE)


@pytest.fixture
def shop(settings):
    """Settings of an empty home whose contract of orders captures tab-separated files."""
    document = orders.document()
    capture = [{"method": "files", "format": "tsv", "path": "orders/*.tsv"}]
    document["customProperties"][0]["value"] = capture
    orders.write_contract(settings.contracts, document)
    return settings


def land(settings, name, text):
    """Land a file of orders."""
    path = settings.landing / "shop" / "orders" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_format_without_reader_is_refused_by_name(shop):
    """Before it is added, the contract is an error that lists the formats there are."""
    with pytest.raises(ContractError, match=r"orders.yaml:\d+: .*'tsv'; formats: parquet, deb"):
        load_domain(shop.contracts, "shop")


def test_the_example_reads_its_files_in_a_run(catalog, shop, monkeypatch, tmp_path):
    """One file, one line: rows are typed, a misfit is quarantined, a torn file is a breach."""
    path = tmp_path / "tsv.py"
    file, line = example("A kind of source")
    path.write_text(file, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("bronze.readers.tsv", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, reader in eval(f"{{{line}}}", vars(module)).items():
        monkeypatch.setitem(READERS, name, reader)
    monkeypatch.setattr(capture_formats, "FORMATS", (*capture_formats.FORMATS, "tsv"))

    land(shop, "a.tsv", HEADER + "1\t7\t5.00\topen\tweb\n2\t8\tmany\tpaid\t\n")
    run_layers(shop, "shop", ("bronze", "silver"))
    tables = Tables.at(shop)
    bronze = {row["order_id"]: row for row in tables.rows(TableName.of("bronze", "shop", "orders"))}
    assert {key: row["channel"] for key, row in bronze.items()} == {1: "web", 2: None}
    assert {row["_source"] for row in bronze.values()} == {"a.tsv"}
    (valid,) = tables.rows(TableName("silver", "shop__sat_placed"))
    assert (valid["order_id"], str(valid["amount"]), valid["status"]) == (1, "5.00", "open")
    (rejected,) = tables.rows(TableName("silver", "shop__orders_quarantine"))
    assert [tuple(f.values()) for f in rejected["failures"]] == [
        ("amount", "type decimal(10,2)", "many")
    ]

    land(shop, "b.tsv", HEADER + "3\t7\n")
    with pytest.raises(ContractBreach, match=r"orders/b\.tsv:2 has not as many cells"):
        run_layers(shop, "shop", ("bronze",))
