"""Decides which alerts go out: a new violation at once, a reminder after a while, its resolution.

`notify` compares the violations of a run with the open alerts in `ops.alerts` and sends a notice of
what changed through every channel that `channels.configured_channels` returns.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypedDict

from lakehouse.alerts.channels import configured_channels, deliver
from lakehouse.alerts.history import OPEN, RESOLVED, OpenAlert, open_alerts, record
from lakehouse.alerts.notice import Notice
from lakehouse.errors import Violation
from lakehouse.storage.publications import published
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from contracts.model.contract import Channel, Contract
    from lakehouse.alerts.channels import AlertChannel
    from lakehouse.settings import Settings

FAILED = "it failed"
# The rule of a dataset that is overdue: bronze/freshness.py finds it
FREQUENCY = "frequency"
WHOLE = "(all datasets)"
KINDS: dict[str, Literal["breach", "warning", "failure"]] = {
    "error": "breach",
    "warning": "warning",
    "failure": "failure",
}


class _Addressees(TypedDict):
    owner: str
    channels: tuple[Channel, ...]


def notify(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    violations: Iterable[Violation],
    *,
    checked_layers: Collection[str],
    processed: Collection[tuple[str, str]] = (),
    run: int = 0,
    now: datetime | None = None,
    channels: list[AlertChannel] | None = None,
) -> list[Notice]:
    """Notify owners of new violations and of those that are resolved; return the notices.

    `checked_layers` are the layers whose violations are all in `violations`: an open alert of such
    a layer that is not among them is resolved; a warning only where its dataset is among the
    (layer, dataset) pairs that were `processed`. A violation that stands alerts again after
    `LAKEHOUSE_ALERT_REMINDER_HOURS`.
    """
    instant, tables = now or datetime.now(UTC), Tables.at(settings)
    alerts = open_alerts(tables, domain)
    current = {
        (violation.layer, violation.dataset, violation.rule): violation for violation in violations
    }
    interval = timedelta(hours=settings.alert_reminder_hours)
    notices: list[tuple[Notice, str]] = []
    for key, violation in current.items():
        alert = alerts.get(key)
        if alert is not None and instant - alert.at < interval:
            continue
        notices.append((_notice(tables, domain, contracts, violation, alert, instant, run), OPEN))
    for key, alert in alerts.items():
        checked = alert.kind != "warning" or alert.rule == FREQUENCY or key[:2] in processed
        if key not in current and alert.layer in checked_layers and checked:
            notices.append((_resolved(domain, contracts, alert, run), RESOLVED))
    return _send(tables, notices, instant, channels)


def notify_failure(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    layer: str,
    message: str,
    *,
    now: datetime | None = None,
) -> list[Notice]:
    """Notify a domain's owners that a layer failed as a whole; once, as of a violation."""
    failure = Violation(WHOLE, layer, FAILED, message, severity="failure")
    return notify(settings, domain, contracts, [failure], checked_layers=(), now=now)


def has_open_alerts(settings: Settings, domain: str) -> bool:
    """Return whether an alert of a domain is not resolved yet."""
    return bool(open_alerts(Tables.at(settings), domain))


def _send(
    tables: Tables,
    notices: list[tuple[Notice, str]],
    now: datetime,
    channels: list[AlertChannel] | None,
) -> list[Notice]:
    if not notices:
        return []
    # Recorded first: a process that dies while it sends does not send every minute.
    record(tables, notices, now)
    chosen = configured_channels() if channels is None else channels
    for notice, _ in notices:
        deliver(notice, chosen)
    return [notice for notice, _ in notices]


def _notice(
    tables: Tables,
    domain: str,
    contracts: Mapping[str, Contract],
    violation: Violation,
    alert: OpenAlert | None,
    now: datetime,
    run: int,
) -> Notice:
    return Notice(
        kind=KINDS[violation.severity],
        domain=domain,
        dataset=violation.dataset,
        layer=violation.layer,
        rule=violation.rule,
        message=violation.message,
        since=alert.since if alert else now,
        count=violation.count,
        table=violation.table,
        last_good=_last_good(tables, domain, violation.table),
        sample=violation.sample,
        run=run,
        reminder=alert is not None,
        **_addressees(contracts, violation.dataset),
    )


def _resolved(domain: str, contracts: Mapping[str, Contract], alert: OpenAlert, run: int) -> Notice:
    return Notice(
        kind="resolved",
        domain=domain,
        dataset=alert.dataset,
        layer=alert.layer,
        rule=alert.rule,
        message=f"it flows again; it was: {alert.message}",
        since=alert.since,
        run=run,
        **_addressees(contracts, alert.dataset),
    )


def _addressees(contracts: Mapping[str, Contract], dataset: str) -> _Addressees:
    """Return a dataset's owner and channels; those of the whole domain for a derived table."""
    contract = contracts.get(dataset) or next(
        (
            contract
            for contract in contracts.values()
            if contract.features and contract.features["table"] == dataset
        ),
        None,
    )
    concerned = [contract] if contract else list(contracts.values())
    owners = dict.fromkeys(contract.owner for contract in concerned if contract.owner)
    channels = dict.fromkeys(channel for contract in concerned for channel in contract.channels)
    return {"owner": ", ".join(owners), "channels": tuple(channels)}


def _last_good(tables: Tables, domain: str, table: str) -> str:
    """Return the version that readers have, empty for a table that does not exist."""
    if not table:
        return ""
    name = TableName.parse(table)
    version = published(tables, domain).get(name, tables.version(name))
    return f"{name} version {version}" if version >= 0 else f"{name} has none yet"
