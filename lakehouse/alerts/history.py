"""What was told before: one row says that a broken promise was told, or is kept again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from datetime import datetime

    from lakehouse.alerts.notice import Notice
    from lakehouse.storage.tables import Tables

ALERTS = TableName("ops", "alerts")
OPEN, RESOLVED = "open", "resolved"
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Told:
    """A broken promise that its owner knows of: since when, and when it was last told."""

    kind: str
    dataset: str
    layer: str
    rule: str
    what: str
    since: datetime
    at: datetime
    run: int

    @property
    def key(self) -> Key:
        """Return what tells it apart from others of its domain."""
        return self.layer, self.dataset, self.rule


def still_open(tables: Tables, domain: str) -> dict[Key, Told]:
    """Return what was told and not resolved yet, in a domain."""
    latest: dict[Key, dict] = {}
    for row in sorted(tables.rows(ALERTS), key=lambda row: row["place"]):
        if row["domain"] == domain:
            latest[row["layer"], row["dataset"], row["rule"]] = row
    names = Told.__dataclass_fields__
    return {
        key: Told(**{name: row[name] for name in names})
        for key, row in latest.items()
        if row["status"] == OPEN
    }


def note(tables: Tables, told: list[tuple[Notice, str]], at: datetime) -> None:
    """Keep what was told, in one commit; rows are in the order in which they were noted."""
    import pyarrow as pa

    if not told:
        return
    before = max((row["place"] for row in tables.rows(ALERTS, ["place"])), default=0)
    rows = [
        {
            "place": before + number,
            "domain": each.domain,
            "dataset": each.dataset,
            "layer": each.layer,
            "rule": each.rule,
            "kind": each.kind,
            "status": status,
            "what": each.what[:2000],
            "run": each.run,
            "since": each.since,
            "at": at,
        }
        for number, (each, status) in enumerate(told, 1)
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
