"""`sql`: what it refuses without starting Spark, and what it returns."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from gold import publish
from lakehouse.storage.tables import TableName, Tables

WRITING = (
    "drop table gold.shop__fct_order",
    "insert into gold.shop__fct_order values (1, 2)",
    "create table x as select 1",
    "select 1; select 2",
    "set spark.sql.shuffle.partitions = 1",
    "delete from gold.shop__fct_order",
    "with a as (select 1 as n) insert into gold.shop__fct_order select n, n from a",
)


@pytest.mark.parametrize("query", [*WRITING, "selec 1", ""])
def test_what_does_not_read_is_refused(lakehouse, home, query):
    """Anything but one reading statement is wrong usage, and no JVM starts for it."""
    ended = lakehouse("sql", query)
    assert (ended.code, ended.out) == (2, "")


def test_functions_that_reach_into_java_are_refused(lakehouse, home):
    """reflect() could do more than read."""
    ended = lakehouse("sql", "select Reflect('java.lang.System', 'exit', 1)")
    assert ended.code == 2
    assert "not allowed" in ended.err


def test_an_unknown_table_gets_the_nearest_names(lakehouse, home):
    """A typo is answered with what was likely meant."""
    ended = lakehouse("sql", "select * from gold.shop__fct_oder")
    assert ended.code == 2
    assert "no table gold.shop__fct_oder; did you mean gold.shop__fct_order" in ended.err


def test_ways_out_exclude_each_other(lakehouse, home, tmp_path):
    """--csv with --json, or a file of another kind, is wrong usage."""
    assert lakehouse("sql", "select 1", "--csv", "--json").code == 2
    assert lakehouse("sql", "select 1", "--out", tmp_path / "rows.txt").code == 2


KINDS = pa.table(
    {
        "key": pa.array([1234567, 2, 3], pa.int64()),
        "price": pa.array([Decimal("0.10"), Decimal("12345.60"), None], pa.decimal128(10, 2)),
        "day": pa.array([date(2017, 12, 28), None, date(1999, 1, 1)]),
        "at": pa.array(
            [datetime(2017, 12, 28, 16, 53, 26, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")
        ),
        "hash": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "tags": pa.array([["a", "b,c"], [], None], pa.list_(pa.string())),
    }
)


@pytest.fixture
def kinds(home, catalog):
    """A table of every kind of value, of 3 rows."""
    write_deltalake(str(home / "warehouse" / "gold" / "shop__kinds"), KINDS)
    return home


@pytest.mark.spark
def test_every_kind_of_value_is_exact(lakehouse, kinds):
    """Decimals keep their digits, instants their zone, bytes are hex, keys have no separators."""
    result = lakehouse("sql", "select * from gold.shop__kinds order by key desc", "--json").json
    assert [column["type"] for column in result["columns"]][:2] == ["bigint", "decimal(10,2)"]
    assert result["rows"][0] == {
        "key": 1234567,
        "price": "0.10",
        "day": "2017-12-28",
        "at": "2017-12-28T16:53:26+00:00",
        "hash": "00ff",
        "tags": ["a", "b,c"],
    }
    assert not result["truncated"]
    out = lakehouse("sql", "select * from gold.shop__kinds").out
    for text in ("1234567", "0.10", "12345.60", "2017-12-28 16:53:26Z", "00ff", "null", "3 rows"):
        assert text in out


@pytest.mark.spark
def test_a_truncated_result_is_marked(lakehouse, kinds):
    """--limit cuts the rows and marks that there are more; 0 shows all."""
    query = "select key from gold.shop__kinds order by key"
    assert "2 rows; there are more" in lakehouse("sql", query, "--limit", "2").out
    assert lakehouse("sql", query, "--limit", "2", "--json").json["truncated"]
    assert "3 rows\n" in lakehouse("sql", query, "--limit", "0").out


@pytest.mark.spark
def test_files_hold_every_row_in_order(lakehouse, kinds, tmp_path):
    """--out writes all rows, whole, as Parquet or CSV; --csv prints them; nothing else is left."""
    query = "select key, price, at, tags from gold.shop__kinds order by key"
    folder = tmp_path / "out"
    ended = lakehouse("sql", query, "--out", folder / "rows.parquet", "--json")
    assert ended.json == {"file": str(folder / "rows.parquet"), "rows": 3}
    rows = pq.read_table(folder / "rows.parquet")
    assert rows["key"].to_pylist() == [2, 3, 1234567]
    assert rows["price"].to_pylist()[0] == Decimal("12345.60")
    assert rows["at"].to_pylist()[0] == datetime(2017, 12, 28, 16, 53, 26, tzinfo=UTC)
    assert lakehouse("sql", query, "--out", folder / "rows.csv").code == 0
    text = (folder / "rows.csv").read_text(encoding="utf-8")
    assert text == lakehouse("sql", query, "--csv").out
    assert list(csv.reader(io.StringIO(text)))[-1] == [
        "1234567", "0.10", "2017-12-28T16:53:26+00:00", '["a", "b,c"]',
    ]  # fmt: skip
    assert sorted(path.name for path in folder.iterdir()) == ["rows.csv", "rows.parquet"]


@pytest.mark.spark
def test_an_empty_result_has_its_header(lakehouse, kinds, tmp_path):
    """No row is no error: the columns are in the header."""
    query = "select key from gold.shop__kinds where key < 0"
    assert lakehouse("sql", query, "--csv").out == "key\n"
    assert lakehouse("sql", query, "--out", tmp_path / "none.parquet").code == 0
    assert pq.read_table(tmp_path / "none.parquet").schema.names == ["key"]


@pytest.mark.spark
def test_gold_is_read_as_published(lakehouse, kinds):
    """Rows that a run wrote after the last publication are not seen, nor views by another name."""
    tables, name = Tables(str(kinds / "warehouse")), TableName.of("gold", "shop", "kinds")
    view = TableName.of("gold", "shop", "keys")
    query = "select key from gold.shop__kinds"
    publish.append(
        tables,
        publish.Publication(1, "shop", {name: tables.version(name)}, {view: query}, {}, "code"),
    )
    tables.append(name, KINDS)
    for source in ("shop__kinds", "shop__keys"):
        ended = lakehouse("sql", f"select count(*) as n from gold.{source}", "--json")
        assert ended.json["rows"] == [{"n": 3}]


@pytest.mark.spark
def test_a_query_that_spark_refuses_is_wrong_usage(lakehouse, kinds):
    """A column that does not exist is named in Spark's message, without a trace."""
    ended = lakehouse("sql", "select pric from gold.shop__kinds")
    assert ended.code == 2
    assert "pric" in ended.err
    assert "at org.apache" not in ended.err
    assert len(ended.err) < 600


@pytest.mark.spark
def test_two_columns_of_one_name_are_shown_but_no_document(lakehouse, kinds):
    """A page may show both; a JSON object cannot."""
    query = "select key, price as key from gold.shop__kinds"
    assert "12345.60" in lakehouse("sql", query).out
    ended = lakehouse("sql", query, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "several columns are called key" in ended.err
