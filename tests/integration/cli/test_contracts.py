"""`contracts check` and `contracts show`."""

from __future__ import annotations

import json


def test_check_counts_every_file(lakehouse, empty):
    """Each contract is one row with its columns, rules and warnings."""
    rows = lakehouse("contracts", "check", "--json").json["contracts"]
    counts = {row["dataset"]: (row["columns"], row["rules"], row["warnings"]) for row in rows}
    assert counts == {"shop.customers": (3, 2, 0), "shop.orders": (3, 4, 1)}


def test_check_ends_with_2_and_every_problem_with_its_line(lakehouse, empty, tmp_path):
    """All problems of all domains come at once, as file:line: what."""
    folder = tmp_path / "contracts"
    orders = folder / "shop" / "orders.yaml"
    orders.write_text(orders.read_text().replace("decimal(10,2)", "money"), encoding="utf-8")
    (folder / "other").mkdir()
    (folder / "other" / "x.yaml").write_text("kind: [", encoding="utf-8")
    ended = lakehouse("contracts", "check")
    assert (ended.code, ended.out) == (2, "")
    assert "shop/orders.yaml:16: column 'price': physicalType 'money' is no Spark type" in ended.err
    assert "other/x.yaml:" in ended.err


def test_show_takes_both_ways_to_name_a_dataset(lakehouse, empty):
    """`DOMAIN.DATASET` and `DOMAIN DATASET` show the same."""
    dotted = lakehouse("contracts", "show", "shop.orders", "--json")
    assert dotted.json == lakehouse("contracts", "show", "shop", "orders", "--json").json
    assert [column["name"] for column in dotted.json["columns"]] == [
        "number",
        "customer_id",
        "price",
    ]
    assert dotted.json["vault"]["events"] == "sat_order"
    assert dotted.json["service_levels"] == {"frequency": "1 d"}


def test_show_names_the_datasets_there_are(lakehouse, empty):
    """An unknown dataset or domain is wrong usage, and the known ones are named."""
    assert "there is: customers, orders" in lakehouse("contracts", "show", "shop.nothing").err
    assert lakehouse("contracts", "show", "shop").code == 2
    assert "no domain 'mall'; there is: shop" in lakehouse("contracts", "show", "mall.orders").err


def test_the_page_shows_rules_units_and_classes(lakehouse, empty):
    """A person sees each column's rules, with warnings marked."""
    out = lakehouse("contracts", "show", "shop.orders").out
    assert "free: not_equal_to(0) (warning)" in out
    assert "EUR" in out
    assert "confidential" in lakehouse("contracts", "show", "shop.customers").out


def test_show_prints_what_the_contract_compiles_to(lakehouse, empty):
    """--sql and --ddl are statements that Spark can parse; --pandera and --suite are read back."""
    import pandera.pandas as pa
    import sqlglot

    sql = lakehouse("contracts", "show", "shop.orders", "--sql").out
    statement = sqlglot.parse_one(sql, read="spark")
    assert [column.alias for column in statement.selects][-2:] == ["_failures", "_flags"]
    text = lakehouse("contracts", "show", "shop.orders", "--pandera").out
    assert list(pa.DataFrameSchema.from_yaml(text).columns) == ["number", "customer_id", "price"]
    ddl = sqlglot.parse(lakehouse("contracts", "show", "shop.orders", "--ddl").out, read="spark")
    made = [statement.this.this.sql("spark") for statement in ddl if statement is not None]
    assert made[0] == "bronze.`shop__orders`"
    assert "silver.`shop__sat_order`" in made
    suite = json.loads(lakehouse("contracts", "show", "shop.orders", "--suite").out)
    assert suite["name"] == "shop.orders"
    both = lakehouse("contracts", "show", "shop.orders", "--sql", "--ddl", "--json").json
    assert {"sql", "ddl"} < both.keys()
    assert "suite" not in both
