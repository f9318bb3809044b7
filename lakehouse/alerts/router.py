"""Decides what is told: each broken promise once, again after a while, and that it is kept again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.alerts.channels import deliver, senders
from lakehouse.alerts.history import OPEN, RESOLVED, Told, note, still_open
from lakehouse.alerts.notice import Notice
from lakehouse.storage.publications import published
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from contracts.model.contract import Contract
    from lakehouse.alerts.channels import Sender
    from lakehouse.errors import Broken
    from lakehouse.settings import Settings

FAILED = "it failed"
FREQUENCY = "frequency"
WHOLE = "(all datasets)"


def tell(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    broken: Iterable[Broken],
    *,
    looked_at: Collection[str],
    carried: Collection[tuple[str, str]] = (),
    run: int = 0,
    now: datetime | None = None,
    ways: list[Sender] | None = None,
) -> list[Notice]:
    """Tell owners what is new among broken promises, and what is kept again; return the notices.

    `looked_at` are the layers in which all that is broken is in `broken`: what was told of them
    before and is not in it is resolved; a warning only where its dataset is among the (layer,
    dataset) that were `carried`. The same is told again after `LAKEHOUSE_ALERT_REMINDER_HOURS`.
    """
    instant, tables = now or datetime.now(UTC), Tables.at(settings)
    known = still_open(tables, domain)
    found = {(each.layer, each.dataset, each.rule): each for each in broken}
    due = timedelta(hours=settings.alert_reminder_hours)
    told: list[tuple[Notice, str]] = []
    for key, each in found.items():
        before = known.get(key)
        if before is not None and instant - before.at < due:
            continue
        told.append((_notice(tables, domain, contracts, each, before, instant, run), OPEN))
    for key, before in known.items():
        seen = before.kind != "warning" or before.rule == FREQUENCY or key[:2] in carried
        if key not in found and before.layer in looked_at and seen:
            told.append((_resolved(domain, contracts, before, run), RESOLVED))
    return _send(tables, told, instant, ways)


def failed(
    settings: Settings,
    domain: str,
    contracts: Mapping[str, Contract],
    layer: str,
    what: str,
    *,
    now: datetime | None = None,
) -> list[Notice]:
    """Tell a domain's owners that a layer could not be carried at all; once, as for a breach."""
    from lakehouse.errors import Broken

    one = Broken(WHOLE, layer, FAILED, what, severity="failure")
    return tell(settings, domain, contracts, [one], looked_at=(), now=now)


def anything_open(settings: Settings, domain: str) -> bool:
    """Return whether an owner was told of something that is not resolved."""
    return bool(still_open(Tables.at(settings), domain))


def _send(
    tables: Tables, told: list[tuple[Notice, str]], now: datetime, ways: list[Sender] | None
) -> list[Notice]:
    if not told:
        return []
    # Noted first: a process that dies while it tells does not tell every minute.
    note(tables, told, now)
    out = senders() if ways is None else ways
    for notice, _ in told:
        deliver(notice, out)
    return [notice for notice, _ in told]


def _notice(
    tables: Tables,
    domain: str,
    contracts: Mapping[str, Contract],
    broken: Broken,
    before: Told | None,
    now: datetime,
    run: int,
) -> Notice:
    kinds = {"error": "breach", "warning": "warning", "failure": "failure"}
    return Notice(
        kind=kinds[broken.severity],  # type: ignore[arg-type]
        domain=domain,
        dataset=broken.dataset,
        layer=broken.layer,
        rule=broken.rule,
        what=broken.what,
        since=before.since if before else now,
        count=broken.count,
        table=broken.table,
        last_good=_last_good(tables, domain, broken.table),
        sample=broken.sample,
        run=run,
        reminder=before is not None,
        **_owner(contracts, broken.dataset),
    )


def _resolved(domain: str, contracts: Mapping[str, Contract], told: Told, run: int) -> Notice:
    return Notice(
        kind="resolved",
        domain=domain,
        dataset=told.dataset,
        layer=told.layer,
        rule=told.rule,
        what=f"it flows again; it was: {told.what}",
        since=told.since,
        run=run,
        **_owner(contracts, told.dataset),
    )


def _owner(contracts: Mapping[str, Contract], dataset: str) -> dict:
    """Return whose it is and where they are told: of a derived table, everybody's in the domain."""
    contract = contracts.get(dataset) or next(
        (
            each
            for each in contracts.values()
            if each.features and each.features["table"] == dataset
        ),
        None,
    )
    concerned = [contract] if contract else list(contracts.values())
    owners = dict.fromkeys(each.owner for each in concerned if each.owner)
    channels = dict.fromkeys(channel for each in concerned for channel in each.channels)
    return {"owner": ", ".join(owners), "channels": tuple(channels)}


def _last_good(tables: Tables, domain: str, table: str) -> str:
    """Return the version that readers have, empty for a table that does not exist."""
    if not table:
        return ""
    name = TableName.parse(table)
    version = published(tables, domain).get(name, tables.version(name))
    return f"{name} version {version}" if version >= 0 else f"{name} has none yet"
