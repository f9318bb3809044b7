"""The history of alerts, `ops.alerts`: one row says that an alert was sent, or that it is resolved."""

# pyarrow ships no types
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from datetime import datetime

    from lakehouse.alerts.notice import Notice
    from lakehouse.storage.tables import Tables

ALERTS = TableName("ops", "alerts")
OPEN, RESOLVED = "open", "resolved"
Key = tuple[str, str, str]


@dataclass(frozen=True)
class OpenAlert:
    """A violation that its owner was notified of: since when it stands, and the last notice's time."""

    kind: str
    dataset: str
    layer: str
    rule: str
    message: str
    since: datetime
    at: datetime
    run: int


def open_alerts(tables: Tables, domain: str) -> dict[Key, OpenAlert]:
    """Return the alerts of a domain that are not resolved, by (layer, dataset, rule)."""
    latest: dict[Key, dict[str, Any]] = {}
    for row in sorted(tables.rows(ALERTS), key=lambda row: row["place"]):
        if row["domain"] == domain:
            latest[row["layer"], row["dataset"], row["rule"]] = row
    return {
        key: OpenAlert(
            row["kind"], row["dataset"], row["layer"], row["rule"], row["what"],
            row["since"], row["at"], row["run"],
        )
        for key, row in latest.items()
        if row["status"] == OPEN
    }  # fmt: skip


def record(tables: Tables, notices: list[tuple[Notice, str]], at: datetime) -> None:
    """Append notices with their status in one commit; `place` numbers all rows in their order."""
    import pyarrow as pa

    if not notices:
        return
    last = max((row["place"] for row in tables.rows(ALERTS, ["place"])), default=0)
    rows = [
        {
            "place": last + number,
            "domain": notice.domain,
            "dataset": notice.dataset,
            "layer": notice.layer,
            "rule": notice.rule,
            "kind": notice.kind,
            "status": status,
            "what": notice.message[:2000],
            "run": notice.run,
            "since": notice.since,
            "at": at,
        }
        for number, (notice, status) in enumerate(notices, 1)
    ]
    instant = pa.timestamp("us", tz="UTC")
    texts = ("domain", "dataset", "layer", "rule", "kind", "status", "what")
    schema = pa.schema(
        [
            ("place", pa.int64()),
            *[(name, pa.string()) for name in texts],
            ("run", pa.int64()),
            ("since", instant),
            ("at", instant),
        ]
    )
    tables.append(ALERTS, pa.Table.from_pylist(rows, schema=schema))
