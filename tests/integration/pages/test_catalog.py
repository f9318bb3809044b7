"""The catalog: every dataset on one page that needs nothing from outside, no value of a person on it."""

from __future__ import annotations

import re

import pytest

from lakehouse.settings import PROJECT, Settings
from pages.catalog.data import collect


@pytest.fixture
def page(lakehouse, home):
    """The text of a fresh catalog."""

    def read() -> str:
        ended = lakehouse("catalog", "--json")
        assert ended.code == 0, ended.err
        assert ended.json["file"] == str(home / "catalog" / "index.html")
        return (home / "catalog" / "index.html").read_text(encoding="utf-8")

    return read


def entries(settings, domain=""):
    """The catalog's entries by id."""
    return {entry["id"]: entry for entry in collect(settings, domain)["entries"]}


def test_the_page_needs_nothing_from_outside(page):
    """One script of its own; no link, image, font or address: links go within the page only."""
    text = page()
    assert not re.findall(
        r"https?://|<link|<img|<iframe|<script [^>]*src|@import|url\(|fetch\(", text
    )
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', text))


def test_every_dataset_has_its_page_with_columns_rules_and_owner(page):
    """Descriptions, units, keys, rules in words, service levels."""
    whole = page()
    assert 'id="shop.customers"' in whole
    orders = whole[whole.index('<article id="shop.orders"') :]
    for text in (
        "What was paid.",
        "in EUR",
        "≥ 0",
        "≠ 0 (flag only)",
        "sales",
        "1 d",
        "decimal(10,2)",
    ):
        assert text in orders


def test_tables_show_rows_versions_and_what_is_open(page):
    """Figures are those of the tables; a view and a table that is not there yet say so."""
    text = re.sub(r"\s+", " ", page())
    assert re.search(r"silver\.shop__orders_quarantine.*?2<small class=\"late\">2 open", text)
    assert "a view" in text


def test_personal_columns_are_marked_and_no_value_is_shown(page):
    """The classification stands beside the column; neither rows nor queries contain one."""
    text = page()
    assert '<span class="tag personal">confidential</span>' in text
    assert "example.org" not in text
    queries = re.findall(r"<pre[^>]*><code>(.*?)</code>", text)
    assert queries
    assert not [query for query in queries if "email" in query]


def test_without_a_home_the_catalog_is_that_of_the_contracts(lakehouse, empty):
    """Nothing was run yet: the page is there, without figures."""
    assert lakehouse("catalog").code == 0
    assert "not created yet" in (empty / "catalog" / "index.html").read_text(encoding="utf-8")


def test_lineage_goes_from_the_source_to_gold(tmp_path):
    """The project's own: what a dataset is read by, through the vault and the SQL, level by level."""
    settings = Settings(
        home=tmp_path, contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project"
    )
    by_kind = {}
    for entry in entries(settings).values():
        by_kind.setdefault(entry["kind"], []).append(entry)
    generated = []
    for entry in (*by_kind["feature set"], *by_kind["gold table"]):
        layers = {name.partition(".")[0] for name in entry["lineage"]["above"]}
        assert layers >= {"source", "bronze", "silver"} or not layers, entry["id"]
        assert entry["columns"], entry["id"]
        generated += [] if layers else [entry["name"]]
    assert generated == ["dim_date"]


def test_a_gold_column_named_as_a_personal_one_is_marked(tmp_path):
    """What a contract classifies keeps its mark where gold carries it on."""
    settings = Settings(
        home=tmp_path, contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project"
    )
    by_id = entries(settings)
    classified = {
        (entry["domain"], column["name"])
        for entry in by_id.values()
        if entry["kind"] == "source dataset"
        for column in entry["columns"]
        if column["classification"]
    }
    carried = [
        column["classification"]
        for entry in by_id.values()
        if entry["kind"] == "gold table"
        for column in entry["columns"]
        if (entry["domain"], column["name"]) in classified
    ]
    assert carried
    assert all(carried)


def test_search_finds_a_column_and_shows_one_dataset(page, home):
    """In a browser: typing keeps what matches, a link shows its dataset alone, nothing is loaded."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = next(
        (p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if _is_file(p)), None
    )
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    page()
    address = (home / "catalog" / "index.html").as_uri()
    with sync_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab, requests, errors = browser.new_page(), [], []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(address)
        assert tab.locator("article:visible").count() == 0
        tab.fill("#q", "email")
        assert tab.locator("nav a:visible").all_inner_texts() == ["customers"]
        assert tab.locator("tr[data-of]:visible").count() == 1
        tab.click("nav a:visible")
        assert tab.locator("article:visible h2").inner_text() == "customers"
        assert tab.locator("mark:visible").all_inner_texts() == ["email"]
        browser.close()
    assert requests == [address]
    assert errors == []


def _is_file(path):
    from pathlib import Path

    return Path(path).is_file()
