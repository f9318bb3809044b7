"""Bronze takes a real recorded change log as it came: every record, in the source's order."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter

import pytest

from lakehouse.settings import PROJECT, Settings
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

RECORDED = PROJECT / "tests" / "data" / "debezium" / "topics"


@pytest.fixture(scope="module")
def rows(spark, tmp_path_factory):
    """The bronze rows of a home whose domain captured the recorded stores."""
    folder = tmp_path_factory.mktemp("recorded")
    settings = Settings(
        home=folder / "home", contracts=folder / "contracts", dbt_project=folder / "dbt"
    )
    document = orders.document()
    document["schema"][0]["name"] = "stores"
    document["schema"][0]["properties"] = [
        {
            "name": "id",
            "logicalType": "integer",
            "physicalType": "bigint",
            "primaryKey": True,
            "primaryKeyPosition": 1,
        },
        {"name": "name", "logicalType": "string", "physicalType": "string"},
    ]
    capture = [{"method": "debezium", "format": "kafka-json", "path": "stores/*.jsonl.gz"}]
    document["customProperties"] = [{"property": "capture", "value": capture}]
    orders.write_contract(settings.contracts, document)
    (settings.landing / "shop" / "stores").mkdir(parents=True)
    shutil.copy(RECORDED / "cdc.shop.stores.jsonl.gz", settings.landing / "shop" / "stores")
    run_layers(settings, "shop", ("bronze",))
    return Tables.at(settings).rows(TableName.of("bronze", "shop", "stores"))


def test_every_record_is_a_row(rows):
    """Operations, tombstones and truncates of the recording are all there; none is dropped."""
    with gzip.open(RECORDED / "cdc.shop.stores.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    values = [record["value"] and json.loads(record["value"]) for record in records]
    expected = Counter("tombstone" if value is None else value["op"] for value in values)
    assert Counter(row["_op"] for row in rows) == expected
    assert expected["t"] > 0
    assert not [row for row in rows if row["_rescued"]]


def test_rows_sort_as_the_source_committed(rows):
    """`_sequence` sorts by the end of the transaction before, snapshot rows first, then by place."""
    initial = [row["_sequence"] for row in rows if row["_op"] == "r"]
    changes = [row["_sequence"] for row in rows if row["_op"] in ("c", "u", "d", "t")]
    assert min(initial).startswith("0" * 19)
    assert min(initial) < min(changes)
    assert {len(sequence) for sequence in (*initial, *changes)} == {32}


def test_columns_that_the_contract_lacks_are_kept(rows):
    """Every column of the source is there under its own name, beside the two of the contract."""
    assert {"id", "name", "hours", "location"} <= set(rows[0])
    assert any(row["hours"] for row in rows)
