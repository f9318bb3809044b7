"""Owners are notified once, through every configured channel, and again when it is resolved."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from contracts.parsing.load import load_domain
from lakehouse.alerts import channels, router
from lakehouse.alerts.channels.log import LogChannel
from lakehouse.alerts.channels.webhook import WebhookChannel
from lakehouse.alerts.notice import Notice
from lakehouse.errors import UsageError, Violation
from lakehouse.storage.tables import TableName, Tables
from tests import orders
from tests.alert_servers import Hook, PostOffice

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SUPPORT = [
    {"channel": "#shop-data", "tool": "slack"},
    {"channel": "Shop team", "url": "mailto:shop@example.org"},
]
VIOLATION = Violation(
    "orders", "silver", "nullValues amount", "nullValues amount: 40 percent, must be less than 5",
    count=40, table="silver.shop__sat_placed", sample=("amount: required: 40 rows",),
)  # fmt: skip


@pytest.fixture
def shop(settings):
    """An empty home with the contract of orders, whose owner is reached by room and mail."""
    team = {"name": "shop-team"}
    orders.write_contract(settings.contracts, orders.document(support=SUPPORT, team=team))
    return settings


def notified(
    shop, violations, at, *, checked_layers=("bronze", "silver", "gold"), channels=(), **more
):
    """Notify at an instant and return the notices."""
    return router.notify(
        shop, "shop", load_domain(shop.contracts, "shop"), violations,
        checked_layers=checked_layers, now=at, channels=list(channels), **more,
    )  # fmt: skip


def test_a_breach_alerts_once_again_after_a_day_and_when_it_is_resolved(shop):
    """Every minute is too often: the reminder waits, its `since` stays, and the end alerts once."""
    kinds = []
    for minutes in (0, 1, 2, 24 * 60 + 1, 24 * 60 + 2):
        notices = notified(shop, [VIOLATION], NOON + timedelta(minutes=minutes))
        kinds.append([(notice.kind, notice.reminder, notice.since) for notice in notices])
    assert kinds == [[("breach", False, NOON)], [], [], [("breach", True, NOON)], []]
    [resolved] = notified(shop, [], NOON + timedelta(days=2))
    assert (resolved.kind, resolved.since) == ("resolved", NOON)
    assert notified(shop, [], NOON + timedelta(days=2)) == []
    [again] = notified(shop, [VIOLATION], NOON + timedelta(days=3))
    assert again.since == NOON + timedelta(days=3)


def test_a_layer_that_was_not_checked_is_not_resolved(shop):
    """A run of one layer says nothing of another; a warning stands until its dataset moves."""
    late = Violation("orders", "silver", "usual", "usual: 3, usual is 5", severity="warning")
    notified(shop, [VIOLATION, late], NOON)
    assert notified(shop, [], NOON, checked_layers=("bronze",)) == []
    [breach] = notified(shop, [], NOON)
    assert breach.rule == VIOLATION.rule
    [warning] = notified(shop, [], NOON, processed={("silver", "orders")})
    assert warning.rule == "usual"


def test_a_webhook_gets_slacks_json_after_a_response_that_failed(shop):
    """The server's first refusal is tried again; the JSON has text, blocks and the owner's room."""
    with Hook(refused=1) as hook:
        notified(shop, [VIOLATION], NOON, channels=[WebhookChannel(hook.url)], run=7)
    assert hook.requests == 2
    [body] = hook.bodies
    assert body["text"] == "[shop] breach of contract: orders, nullValues amount"
    assert body["channel"] == "#shop-data"
    [header, section] = body["blocks"]
    assert header["type"] == "header"
    for fact in ("40 percent", "silver.shop__sat_placed", "*how many:* 40", "2024-05-01 12:00 UTC",
                 "*owner:* shop-team", "lakehouse run shop", "none yet", "40 rows", "*run:* 7"):  # fmt: skip
        assert fact in section["text"]["text"]


def test_mail_goes_to_the_owner_with_the_password_of_the_environment(shop):
    """User and password log in; the owner's address and the environment's receive one letter."""
    with PostOffice() as office:
        chosen = channels.configured_channels(
            {
                "LAKEHOUSE_ALERT_SMTP": f"smtp://robot@127.0.0.1:{office.port}",
                "LAKEHOUSE_ALERT_SMTP_PASSWORD": "pa:ss",
                "LAKEHOUSE_ALERT_TO": "ops@example.org",
            }
        )
        notified(shop, [VIOLATION], NOON, channels=chosen)
    [letter] = office.letters
    assert letter["to"] == ["TO:<shop@example.org>", "TO:<ops@example.org>"]
    assert letter["auth"].startswith("PLAIN ")
    assert "Subject: [shop] breach of contract: orders, nullValues amount" in letter["text"]
    assert "lakehouse run shop" in letter["text"]


def test_a_channel_that_is_down_stops_nothing_and_its_address_is_not_logged(shop, caplog):
    """Nobody listens: the others receive it, the failure is logged without the secret address."""
    with Hook() as hook:
        dead = hook.url
    notice = Notice("breach", "shop", "orders", "silver", "r", "w", NOON)
    with caplog.at_level(logging.WARNING, "lakehouse.alerts"):
        failed = channels.deliver(notice, [LogChannel(), WebhookChannel(dead)], first_wait=0.01)
    assert failed == ["webhook"]
    assert "not delivered by webhook: URLError" in caplog.text
    assert "[shop] breach of contract: orders, r" in caplog.text
    assert "secret" not in caplog.text


def test_an_address_that_is_none_is_named_by_its_variable_alone():
    """The value may be a secret, so the message has the variable's name only."""
    for name, value in (("WEBHOOK", "ftp://token"), ("SMTP", "smtp:token"), ("SMTP", "token")):
        with pytest.raises(UsageError, match=f"LAKEHOUSE_ALERT_{name}") as caught:
            channels.configured_channels({f"LAKEHOUSE_ALERT_{name}": value})
        assert "token" not in str(caught.value)


def test_a_failure_alerts_like_a_breach_and_is_resolved_by_a_layer_that_works(shop):
    """A failed task of a scheduler goes into the same history of alerts."""
    contracts = load_domain(shop.contracts, "shop")
    [first] = router.notify_failure(shop, "shop", contracts, "gold", "the disk is full", now=NOON)
    assert (first.kind, first.owner) == ("failure", "shop-team")
    assert (
        router.notify_failure(shop, "shop", contracts, "gold", "the disk is full", now=NOON) == []
    )
    assert router.has_open_alerts(shop, "shop")
    assert [notice.kind for notice in notified(shop, [], NOON)] == ["resolved"]
    assert not router.has_open_alerts(shop, "shop")


def test_the_last_good_version_is_the_published_one(shop):
    """A notice names the version that readers have."""
    tables = Tables.at(shop)
    name = TableName.of("silver", "shop", "sat_placed")
    tables.append(name, pa.table({"a": [1]}))
    tables.append(name, pa.table({"a": [2]}))
    [notice] = notified(shop, [VIOLATION], NOON)
    assert notice.last_good == "silver.shop__sat_placed version 1"
