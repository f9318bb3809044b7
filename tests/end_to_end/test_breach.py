"""A breach stops its dataset, is reported once, leaves the last good version, and ends with the fix."""

from __future__ import annotations

import json

import pytest

from cli.main import main
from lakehouse.runs.ledger import Ledger
from lakehouse.settings import settings as of_process
from lakehouse.storage.publications import published
from lakehouse.storage.tables import Tables
from tests import orders
from tests.alert_servers import Hook
from tests.small_shop import BRONZE, FACT, QUARANTINE, SATELLITE, rows, settings_of

pytestmark = pytest.mark.spark

SHARE = {
    "name": "few bad rows",
    "type": "custom",
    "engine": "lakehouse",
    "implementation": {"metric": "badRows", "unit": "percent", "mustBeLessOrEqualTo": 50},
}
STATUS = {
    "metric": "nullValues",
    "arguments": {"column": "status"},
    "unit": "percent",
    "mustBeLessThan": 50,
}


@pytest.fixture
def shop(catalog, tmp_path, monkeypatch):
    """A small shop with dataset rules, as the process's own settings name it."""
    contract = orders.document(
        team={"name": "shop-team"}, support=[{"channel": "#shop-data", "tool": "slack"}]
    )
    contract["schema"][0]["quality"] = [SHARE, STATUS]
    # Personal data must not be in a notice
    contract["schema"][0]["properties"][2]["classification"] = "personal"
    chosen = settings_of(tmp_path, contract)
    for name in ("home", "contracts", "dbt_project"):
        monkeypatch.setenv(f"LAKEHOUSE_{name.upper()}", str(getattr(chosen, name)))
    of_process.cache_clear()
    yield chosen
    of_process.cache_clear()


def day(number, amounts, status="open"):
    """The events of a day: an order an amount."""
    return [
        orders.event(
            "c",
            place,
            orders.order(number * 10 + place, amount=amount, status=status),
            transaction=100 * number,
        )
        for place, amount in enumerate(amounts, 1)
    ]


def ran(capfd, *arguments):
    """Run the command line; return its exit code and its error, empty for none."""
    capfd.readouterr()
    code = main([*arguments, "--json"])
    err = [line for line in capfd.readouterr().err.splitlines() if line.startswith('{"error"')]
    return code, json.loads(err[-1])["error"] if err else ""


def good_version(tables):
    """The version of the fact that readers have, and its rows."""
    version = published(tables, "shop")[FACT]
    return version, rows(tables, FACT, version)


def test_a_planted_breach_stops_alerts_once_and_flows_again(shop, capfd, monkeypatch):
    """Exit 3 twice, one message; gold stays; after the fix a run ends with 0 and says resolved."""
    tables = Tables.at(shop)
    with Hook() as hook:
        monkeypatch.setenv("LAKEHOUSE_ALERT_WEBHOOK", hook.url)
        orders.land_events(shop, "001.jsonl", day(1, ["5.00", "7.50"]))
        assert ran(capfd, "run", "shop")[0] == 0
        assert hook.bodies == []
        before, satellite = good_version(tables), tables.version(SATELLITE)

        path = orders.land_events(shop, "002.jsonl", day(2, ["-1", "-2", "-3.25", "4.00"]))
        first, message = ran(capfd, "run", "shop")
        assert (first, ran(capfd, "run", "shop")[0]) == (3, 3)

        assert "few bad rows: 75 percent, must be less or equal to 50 percent" in message
        assert good_version(tables) == before
        assert tables.version(SATELLITE) == satellite
        assert not tables.exists(QUARANTINE)
        [notice] = hook.bodies
        assert notice["text"] == "[shop] breach of contract: orders, few bad rows"
        text = notice["blocks"][1]["text"]["text"]
        for fact in ("75 percent", f"silver.shop__sat_placed version {satellite}", "shop-team", "3 rows",
                     "lakehouse run shop"):  # fmt: skip
            assert fact in text
        assert "3.25" not in text  # an amount is personal here, so the sample is masked
        statuses = [run["status"] for run in Ledger(tables).runs("shop")]
        assert statuses == ["done", "failed", "failed"]

        assert ran(capfd, "rollback", "2", "--yes")[0] == 0
        path.unlink()
        orders.land_events(shop, "002.jsonl", day(2, ["1", "2", "3.25", "4.00"]))
        assert ran(capfd, "run", "shop") == (0, "")

        assert [body["text"] for body in hook.bodies[1:]] == [
            "[shop] resolved: orders, few bad rows"
        ]
        version, rows_after = good_version(tables)
        assert version > before[0]
        assert len(rows_after) == 6
        assert ran(capfd, "run", "shop") == (0, "")
        assert len(hook.bodies) == 2


def test_large_batches_have_the_same_rules(shop, capfd, monkeypatch):
    """A batch that Spark writes is measured by Spark; nothing of it is written either."""
    monkeypatch.setattr("silver.load.small_batch.ROWS", 0)
    tables = Tables.at(shop)
    orders.land_events(shop, "001.jsonl", day(1, ["5.00", "-1"], status=" n/a "))
    code, message = ran(capfd, "run", "shop", "--layer", "bronze")
    assert (code, message) == (0, "")
    bronze = tables.version(BRONZE)
    code, message = ran(capfd, "run", "shop", "--layer", "silver")
    assert code == 3
    assert "nullValues status: 100 percent, must be less than 50 percent" in message
    assert "few bad rows" not in message
    assert tables.version(BRONZE) == bronze
    assert not tables.exists(SATELLITE)
    assert not tables.exists(QUARANTINE)
