"""`quarantine list` and `quarantine show`."""

from __future__ import annotations

from operations.quarantine import MASK


def test_list_counts_each_reason(lakehouse, home):
    """One row a dataset, column and rule; a row with two reasons counts under both."""
    rows = lakehouse("quarantine", "list", "shop", "--json").json["reasons"]
    counts = {(row["dataset"], row["column"], row["rule"]): row["rows"] for row in rows}
    assert counts == {
        ("customers", "_line", "unreadable"): 1,
        ("customers", "email", "str_matches"): 1,
        ("orders", "customer_id", "required"): 1,
        ("orders", "price", "greater_than_or_equal_to"): 1,
        ("orders", "price", "required"): 1,
    }
    assert {(row["first_run"], row["last_run"], row["open"]) for row in rows} == {(1, 1, 1)}


def test_list_without_quarantine_is_one_line(lakehouse, empty):
    """Nothing refused is no error."""
    assert lakehouse("quarantine", "list").out == "nothing in quarantine\n"


def test_show_gives_rows_with_every_reason(lakehouse, home):
    """The row as it came stands beside all of its reasons."""
    result = lakehouse("quarantine", "show", "shop", "orders", "--json").json
    assert result["total"] == 2
    row = next(row for row in result["rows"] if row["row"]["number"] == "8")
    assert [(f["column"], f["rule"]) for f in row["failures"]] == [
        ("customer_id", "required"),
        ("price", "required"),
    ]


def test_show_can_be_narrowed(lakehouse, home):
    """--rule takes a rule or a column, --limit cuts and the total still counts all."""
    by_rule = lakehouse("quarantine", "show", "shop", "orders", "--rule", "required", "--json").json
    assert [row["row"]["number"] for row in by_rule["rows"]] == ["8"]
    by_column = lakehouse("quarantine", "show", "shop", "orders", "--rule", "price", "--json").json
    assert by_column["total"] == 2
    cut = lakehouse("quarantine", "show", "shop", "orders", "--limit", "1", "--json").json
    assert (len(cut["rows"]), cut["total"]) == (1, 2)


def test_personal_values_are_masked_everywhere(lakehouse, home):
    """A classified column is hidden in the row and in its reasons; so is a line kept whole."""
    for arguments in ([], ["--json"]):
        ended = lakehouse("quarantine", "show", "shop", "customers", *arguments)
        assert "example.org" not in ended.out + ended.err
        assert "626F6240" not in ended.out + ended.err, "nor its bytes"
        assert MASK in ended.out
        assert "Bonn" in ended.out


def test_an_unknown_dataset_is_wrong_usage(lakehouse, home):
    """The datasets there are get named."""
    ended = lakehouse("quarantine", "show", "shop", "nothing")
    assert ended.code == 2
    assert "there is: customers, orders" in ended.err
