"""The change log of the shop as Kafka records, as Debezium's JSON converter writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proofs.log import Event

UNCHANGED_VALUE = "__debezium_unavailable_value"


def records(events: list[Event]) -> list[tuple[str, str]]:
    """Return (dataset, Kafka record as text) of every event, with a tombstone after a delete."""
    texts = []
    for number, event in enumerate(events):
        offset = event.place[2] // 16384 if event.op == "r" else 10**6 + 2 * number
        record = {
            "topic": f"cdc.{event.dataset}", "partition": 0, "offset": offset,
            "timestamp": event.ts_ms, "key": None, "value": json.dumps(_envelope(event)),
        }  # fmt: skip
        if event.old_key is not None:
            record["headers"] = {"__debezium.oldkey": json.dumps({"id": event.old_key})}
        texts.append((event.dataset, json.dumps(record)))
        if event.op == "d":
            tombstone = record | {"offset": offset + 1, "value": None}
            texts.append((event.dataset, json.dumps(tombstone)))
    return texts


def _envelope(event: Event) -> dict[str, Any]:
    end, _, at = event.place
    image = _image(event, event.row) if event.op != "t" else None
    before = image if event.op == "d" else None
    if event.before is not None:
        before = _image(event, event.before)
    snapshot = event.op == "r"
    return {
        "before": before,
        "after": None if event.op in "dt" else image,
        "op": event.op,
        "ts_ms": event.ts_ms + 7,
        "source": {
            "txId": None if snapshot else end,
            "lsn": end + at,
            "sequence": json.dumps([str(end) if end else None, str(end + at)]),
            "ts_ms": event.ts_ms,
            "table": event.dataset,
            "snapshot": "incremental" if snapshot else "false",
        },
        "transaction": None if snapshot else {"id": f"{end}:{end}", "total_order": at},
    }


def _image(event: Event, row: dict[str, Any]) -> dict[str, Any]:
    image = {name: _text(name, value) for name, value in row.items()}
    for name in event.unchanged:
        image[name] = UNCHANGED_VALUE
    if event.early:
        image.pop("vip", None)
        if "tier" in image:
            image["level"] = image.pop("tier")
    return image


def _text(name: str, value: Any) -> Any:
    if name == "placed_at" and value is not None:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value
