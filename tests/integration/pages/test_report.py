"""The report: one page with everything in it, and nothing that is not so."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from lakehouse.runs.ledger import Ledger
from lakehouse.storage.tables import TableName, Tables
from tests import stored_shop


@pytest.fixture
def page(lakehouse, home, tmp_path):
    """The text of a fresh report."""

    def read() -> str:
        file = tmp_path / "report.html"
        ended = lakehouse("report", "--out", file, "--json")
        assert ended.code == 0, ended.err
        assert ended.json["bytes"] == file.stat().st_size
        return file.read_text(encoding="utf-8")

    return read


def words(text: str) -> str:
    """Return the page's text without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL))


def test_an_empty_lakehouse_gets_a_page_that_names_the_first_commands(lakehouse, empty):
    """Without tables the page names the commands to start with."""
    ended = lakehouse("report")
    assert ended.out == f"{empty / 'report.html'}\n"
    assert "lakehouse demo" in (empty / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_outside(page):
    """No script, no link, no image, no font: links go within the page only."""
    text = page()
    assert not re.findall(r"https?://|//[a-z]+\.|<script|<link|<img|<iframe|@import|url\(", text)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', text))


def test_the_page_shows_the_rows_of_each_table(page):
    """The picture has a box a dataset and layer, with the rows of its table."""
    text = page()
    assert "<title>customers: 12</title>" in text
    assert "<title>orders: 15</title>" in text
    assert "<title>sat_order: 10, behind</title>" in text


def test_gates_that_add_up_get_a_tick(page):
    """In = valid + quarantined + superseded, checked against what the tables hold."""
    assert "Gates that add up 2 of 2" in words(page())


def test_a_row_that_vanished_gets_a_cross(page, home):
    """Where a table holds other rows than the ledger says, the page shows both numbers."""
    name = TableName.of("silver", "shop", "sat_customer")
    Tables(str(home / "warehouse")).append(name, pa.table({"_sequence": ["9999"], "_batch": [9]}))
    text = words(page())
    assert "Gates that add up 1 of 2" in text
    assert "✗ no the table has 11" in text


def test_a_rebuilt_table_counts_from_there(page, home):
    """The counts of runs before a rebuild do not make the gate look wrong."""
    tables = Tables(str(home / "warehouse"))
    with Ledger(tables).run("shop") as run:
        first = Ledger(tables).steps("shop")
        again = next(step for step in first if step["table"] == "silver.shop__sat_customer")
        from lakehouse.runs.ledger import Step

        run.record(Step(**{**again, "run": run.number}))
    assert "Gates that add up 2 of 2" in words(page())


def test_reasons_and_runs_are_on_the_page(page, home):
    """Quarantine by reason, and the last runs with their status and message."""
    with pytest.raises(OSError), Ledger(Tables(str(home / "warehouse"))).run("shop"):  # noqa: PT011
        raise OSError("disk <full>")
    text = page()
    assert "str_matches" in text
    assert "✗ failed" in text
    assert "disk &lt;full&gt;" in text, "texts are escaped"


def test_personal_values_stay_out_of_the_page(page):
    """The page counts quarantined rows; it shows none."""
    assert "example.org" not in page()


def test_the_model_is_shown_with_its_base_rate_and_calibration(page, home):
    """PR-AUC stands beside what guessing would get, calibration as a picture and as a table."""
    stored_shop.model(home)
    text = page()
    assert re.search(r"PR-AUC 0\.410", words(text))
    assert re.search(r"Base rate 0\.120", words(text))
    assert text.count('class="dot"') == 3
    assert "22.0% 25.0% 70" in words(text)


def test_a_manifest_that_cannot_be_read_is_named(page, home):
    """One broken manifest does not cost the page."""
    (stored_shop.model(home) / "manifest.json").write_text("{", encoding="utf-8")
    assert "manifest.json: Expecting property name" in words(page())


def test_the_page_is_made_for_readers_of_all_kinds(page):
    """Language, landmarks, a way past the head, headers with a scope, pictures with a title."""
    text = page()
    assert '<html lang="en">' in text
    assert all(f"<{mark}" in text for mark in ("header", "main", "footer"))
    assert 'class="skip"' in text
    assert not re.findall(r"<th(?![^>]*scope=)[ >]", text)
    assert text.count("<svg") == len(re.findall(r'<svg[^>]*role="img"[^>]*><title>', text))
    assert "prefers-color-scheme: dark" in text
