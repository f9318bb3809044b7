"""`contracts new` drafts a contract from data that is right at once and says nothing of a person."""

from __future__ import annotations

from random import Random

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import yaml

from lakehouse.errors import UsageError
from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName, Tables
from operations.authoring.check import check
from operations.authoring.draft import new_contract
from tests.orders import write_contract

ROWS = 300


@pytest.fixture
def settings(tmp_path):
    """An empty home."""
    return Settings(home=tmp_path / "home", contracts=tmp_path / "contracts", dbt_project=tmp_path)


@pytest.fixture
def people():
    """Rows with a key, a reference, personal values, few values, empty ones and numbers."""
    chance = Random(3)
    return pa.table(
        {
            "visit_id": list(range(1, ROWS + 1)),
            "shop_id": [chance.randint(1, 9) for _ in range(ROWS)],
            "contact": [f"p{n}@example.org" for n in range(ROWS)],
            "call": [f"+49 170 {n:07d}" for n in range(ROWS)],
            "last_name": [f"Nomen{n}" for n in range(ROWS)],
            "state": [chance.choice(["open", "paid", None]) for _ in range(ROWS)],
            "paid": pa.array([chance.randint(-50, 990) / 10 for _ in range(ROWS)], pa.float64()),
            "items": pa.array([chance.randint(1, 40) for _ in range(ROWS)], pa.int32()),
        }
    )


def columns(drafted):
    """The drafted columns by name."""
    document = yaml.safe_load(drafted["contract"])
    return {column["name"]: column for column in document["schema"][0]["properties"]}


def sources(folder, table):
    """The same rows as CSV, Parquet, JSON lines, and a Delta folder."""
    pyarrow.csv.write_csv(table, folder / "v.csv")
    pq.write_table(table, folder / "v.parquet")
    table.to_pandas().to_json(folder / "v.jsonl", orient="records", lines=True)
    Tables(str(folder)).append(TableName("bronze", "other__visits"), table)
    return [
        folder / "v.csv",
        folder / "v.parquet",
        folder / "v.jsonl",
        folder / "bronze" / "other__visits",
    ]


def test_each_kind_of_source_gives_a_contract_that_passes(settings, people, tmp_path):
    """CSV, Parquet, JSON lines and Delta: one key, one reference, the same rules; `check` takes it."""
    for source in sources(tmp_path, people):
        drafted = new_contract(settings, "shop", "visits", str(source), write=True)
        assert [row["dataset"] for row in check(settings)] == ["shop.visits"], source
        assert drafted["rows"] == ROWS
        assert drafted["keys"][0] == ["visit_id"]
        properties = columns(drafted)
        assert properties["visit_id"]["primaryKey"]
        assert properties["shop_id"]["physicalType"] == "bigint"
        assert "required" not in properties["state"]
        assert properties["state"]["quality"][0]["arguments"] == {"validValues": ["open", "paid"]}
        (rule,) = properties["items"]["quality"]
        assert (rule["severity"], rule["implementation"]["max_value"]) == ("warning", 40)
        assert properties["items"]["logicalTypeOptions"] == {"minimum": 0}
        assert "logicalTypeOptions" not in properties["paid"], "some are below 0"
        vault = yaml.safe_load(drafted["contract"])["customProperties"][1]["value"]
        assert vault["hubs"] == {"visit": ["visit_id"], "shop": ["shop_id"]}
        (settings.contracts / "shop" / "visits.yaml").unlink()


def test_what_looks_personal_is_marked_and_none_of_its_values_is_shown(settings, people, tmp_path):
    """By name and by value: e-mail, telephone, surname; the draft and the review have no value of them."""
    source = sources(tmp_path, people)[0]
    drafted = new_contract(settings, "shop", "visits", str(source))
    assert drafted["personal"] == ["contact", "call", "last_name"]
    assert {n for n, c in columns(drafted).items() if c.get("classification")} == set(
        drafted["personal"]
    )
    assert "personal, as it looks: contact, call, last_name" in drafted["contract"]
    for value in ("example.org", "+49", "Nomen"):
        assert value not in str(drafted)


def test_a_key_of_two_columns_is_found(settings, tmp_path):
    """Where no column is unique, two may be; without any, rows are identified by content."""
    pq.write_table(
        pa.table({"shop_id": [1, 1, 2, 2], "day": [1, 2, 1, 2], "n": [5] * 4}),
        tmp_path / "a.parquet",
    )
    drafted = new_contract(settings, "x", "sales", str(tmp_path / "a.parquet"))
    assert drafted["keys"] == [["shop_id", "day"]]
    vault = yaml.safe_load(drafted["contract"])["customProperties"][1]["value"]
    assert vault["link"] == {"name": "sales", "dependent": ["day"]}
    pq.write_table(pa.table({"n": [5, 5]}), tmp_path / "b.parquet")
    drafted = new_contract(settings, "x", "scans", str(tmp_path / "b.parquet"), write=True)
    assert drafted["keys"] == []
    assert check(settings, "x")[0]["vault"] == "sat_scans"


def test_a_hub_that_the_domain_knows_keeps_its_keys_name(settings, tmp_path):
    """A drafted reference to a known hub is named as the hub's key is, so that both contracts load."""
    write_contract(settings.contracts)
    rows = {"bill_id": [1, 2], "customer_id": [7, 7], "order_id": [1, 2]}
    pq.write_table(pa.table(rows), tmp_path / "bills.parquet")
    new_contract(settings, "shop", "bills", str(tmp_path / "bills.parquet"), write=True)
    assert len(check(settings, "shop")) == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.csv", "no file"),
        ("bronze.shop__gone", "does not exist"),
        ("jdbc:postgresql://127.0.0.1/x", "needs --table"),
    ],
)
def test_a_source_that_does_not_exist_is_named(settings, source, message):
    """A missing file, a missing table, a URL without a table: wrong usage, and nothing is written."""
    with pytest.raises(UsageError, match=message):
        new_contract(settings, "shop", "visits", source, write=True)
    assert not settings.contracts.exists()


def test_a_contract_is_never_overwritten(settings, people, tmp_path):
    """The second time is wrong usage; a name with a double underscore is, too."""
    source = str(sources(tmp_path, people)[1])
    new_contract(settings, "shop", "visits", source, write=True)
    with pytest.raises(UsageError, match="exists already"):
        new_contract(settings, "shop", "visits", source, write=True)
    with pytest.raises(UsageError, match="is no name"):
        new_contract(settings, "shop", "a__b", source)


@pytest.mark.spark
def test_a_table_behind_jdbc(spark, settings, people, tmp_path):
    """Spark's JDBC source, here over Derby, the database whose driver Spark brings."""
    url = f"jdbc:derby:{tmp_path}/db;create=true"
    spark.createDataFrame(people).write.jdbc(url, "visits")
    drafted = new_contract(settings, "shop", "visits", url, table="visits", write=True)
    assert drafted["keys"][0] == ["visit_id"]
    assert drafted["personal"] == ["contact", "call", "last_name"]
    assert "method: debezium" in drafted["contract"]
    assert len(check(settings, "shop")) == 1


@pytest.mark.spark
def test_a_missing_driver_is_named_and_no_password_shown(spark, settings):
    """The error says where to put the jar; what stood in the URL stays out of it."""
    url = "jdbc:postgresql://127.0.0.1:1/x?user=me&password=secret"
    with pytest.raises(UsageError, match="no JDBC driver for postgresql") as error:
        new_contract(settings, "shop", "visits", url, table="visits")
    assert "secret" not in str(error.value)
