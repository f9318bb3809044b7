"""`status`, from table logs and the ledger alone."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from bronze.discovery import Entry, FileLog
from lakehouse.runs.ledger import Ledger
from lakehouse.storage.tables import Tables
from tests import stored_shop


def tables_of(ended):
    """Return the tables of the only domain by name."""
    return {row["table"]: row for row in ended.json["domains"][0]["tables"]}


def test_an_empty_home_names_the_first_command(lakehouse, empty):
    """Without tables the page names the first command to try; the document lists no table."""
    assert "lakehouse demo" in lakehouse("status").out
    result = lakehouse("status", "--json").json
    assert [(row["domain"], row["tables"]) for row in result["domains"]] == [("shop", [])]


def test_rows_versions_and_sizes_are_those_of_the_tables(lakehouse, home):
    """Each table has the rows, version and bytes that the table itself has."""
    tables = tables_of(lakehouse("status", "shop", "--json"))
    for name, row in tables.items():
        table = DeltaTable(str(home / "warehouse" / name.replace(".", "/")))
        assert (row["rows"], row["version"]) == (table.to_pyarrow_table().num_rows, table.version())
        assert row["bytes"] == sum(table.get_add_actions().column("size_bytes").to_pylist())
        assert row["age_seconds"] >= 0
        assert datetime.fromisoformat(row["committed_at"]).tzinfo is not None


def test_a_table_is_behind_until_it_has_read_the_last_batch(lakehouse, home):
    """The second run loaded orders into bronze only: silver's orders are behind, customers not."""
    tables = tables_of(lakehouse("status", "--json"))
    assert not tables["silver.shop__sat_customer"]["behind"]
    behind = tables["silver.shop__sat_order"]
    assert behind["behind"]
    assert behind["upstream"] == [
        {"table": "bronze.shop__orders", "consumed": 1, "current": 2, "behind": True}
    ]
    assert "behind bronze.shop__orders: has 1 of 2" in lakehouse("status").out


def test_the_last_run_of_each_table_and_of_the_domain_is_shown(lakehouse, home):
    """Run, status and seconds come from the ledger."""
    ended = lakehouse("status", "--json")
    assert ended.json["domains"][0]["last_run"]["run"] == 2
    assert ended.json["domains"][0]["last_run"]["status"] == "done"
    tables = tables_of(ended)
    assert tables["silver.shop__sat_order"]["last_step"]["run"] == 1
    assert tables["silver.shop__sat_order"]["last_step"]["seconds"] == pytest.approx(1.25)


def test_a_failed_run_is_shown_with_its_reason(lakehouse, home):
    """The page ends with the last run's status and message."""
    with pytest.raises(OSError, match="disk"), Ledger(Tables(str(home / "warehouse"))).run("shop"):
        raise OSError("disk full")
    assert "last run: 3 failed" in lakehouse("status", "shop").out
    assert "disk full" in lakehouse("status", "shop").out


def test_open_quarantine_is_counted(lakehouse, home):
    """A row that was replayed is no longer open."""
    name = "silver.shop__orders_quarantine"
    assert tables_of(lakehouse("status", "--json"))[name]["open_quarantine"] == len(stored_shop.BAD)
    table = DeltaTable(str(home / "warehouse" / name.replace(".", "/")))
    table.update(updates={"status": "'replayed'"}, predicate="_sequence = '0000'")
    assert (
        tables_of(lakehouse("status", "--json"))[name]["open_quarantine"]
        == len(stored_shop.BAD) - 1
    )


def test_landed_files_that_are_not_captured_are_shown(lakehouse, home):
    """A file below the landing folder that no batch took waits, with its size."""
    folder = home / "landing" / "shop" / "orders"
    folder.mkdir(parents=True)
    (folder / "new.parquet").write_bytes(b"12345")
    domain = lakehouse("status", "--json").json["domains"][0]
    assert domain["pending"] == [{"dataset": "orders", "files": 1, "bytes": 5}]
    assert "pending: 1 file of orders" in lakehouse("status").out


def test_captured_files_do_not_wait(lakehouse, home):
    """A file that a committed batch took is done with; one of a batch that never was, is not."""
    folder = home / "landing" / "shop" / "orders"
    folder.mkdir(parents=True)
    log = FileLog(Tables(str(home / "warehouse")), "shop")
    for name, batch in (("taken.parquet", 2), ("planned.parquet", 3)):
        (folder / name).write_bytes(b"12345")
        stat = (folder / name).stat()
        log.write(
            [Entry("shop", "orders", batch, f"orders/{name}", 5, stat.st_mtime_ns, name, "planned")]
        )
    domain = lakehouse("status", "--json").json["domains"][0]
    assert domain["pending"] == [{"dataset": "orders", "files": 1, "bytes": 5}]
    (folder / "planned.parquet").unlink()
    assert lakehouse("status", "--json").json["domains"][0]["pending"] == []


def test_a_broken_contract_does_not_hide_the_tables(lakehouse, home, tmp_path):
    """Where contracts cannot be read the tables are shown all the same, and the problem too."""
    (home / "landing" / "shop").mkdir(parents=True)
    (home / "landing" / "shop" / "new.parquet").write_bytes(b"new")
    (tmp_path / "contracts" / "shop" / "orders.yaml").write_text("no: contract", encoding="utf-8")
    domain = lakehouse("status", "--json").json["domains"][0]
    assert domain["tables"]
    assert "shop/orders.yaml:1" in domain["contract_error"]


def test_rows_behind_a_missing_statistic_are_unknown_not_zero(lakehouse, home):
    """The rows of a table whose log counts none are unknown."""
    from deltalake import ColumnProperties, WriterProperties, write_deltalake

    path = home / "warehouse" / "gold" / "shop__uncounted"
    write_deltalake(
        str(path), pa.table({"a": [1]}),
        writer_properties=WriterProperties(
            default_column_properties=ColumnProperties(statistics_enabled="NONE")
        ),
    )  # fmt: skip
    table = tables_of(lakehouse("status", "--json"))["gold.shop__uncounted"]
    assert table["rows"] in (None, 1)


@pytest.mark.spark
def test_rows_behind_a_deletion_vector_do_not_count(lakehouse, home, catalog):
    """Spark may mark rows as deleted without writing their file again."""
    folder = home / "warehouse" / "gold" / "shop__fct_order"
    catalog.sql(
        f"alter table delta.`{folder}` set tblproperties ('delta.enableDeletionVectors' = true)"
    )
    catalog.sql(f"delete from delta.`{folder}` where number < 3")
    assert sum(batch.num_rows for batch in DeltaTable(str(folder)).deletion_vectors()) == 1
    assert tables_of(lakehouse("status", "--json"))["gold.shop__fct_order"]["rows"] == 7
