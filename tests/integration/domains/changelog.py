"""An independent reading of a landed change log: parses, types and folds without the source's code."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq

from domains.retail import source

if TYPE_CHECKING:
    from pathlib import Path

LOGGED = sorted(source.KEYS)


def raw_lines(folder: Path, dataset: str, through: date = source.LAST_DAY) -> list[str]:
    files = sorted((folder / dataset / "changes").glob("????-??-??.jsonl"))
    return [
        line
        for file in files
        if date.fromisoformat(file.stem) <= through
        for line in file.read_text("utf-8").splitlines()
    ]


def events(folder: Path, dataset: str, through: date = source.LAST_DAY) -> list[dict]:
    parsed = []
    for line in raw_lines(folder, dataset, through):
        try:
            parsed.append(json.loads(line))
        except ValueError:
            continue
    return parsed


def typed(row: dict) -> dict:
    """Read a payload's text forms back, without any code of the source."""
    forms = {
        **dict.fromkeys(
            ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"), Decimal
        ),
        **dict.fromkeys(
            ("start_date", "end_date", "redemption_date"), lambda v: date.fromisoformat(v[:-1])
        ),
        "transaction_timestamp": pd.Timestamp,
    }
    return {name: forms[name](value) if name in forms else value for name, value in row.items()}


def sent(folder: Path, dataset: str) -> list[dict]:
    """Return the readable events of all files without duplicates, in the source's order."""
    by_place = {}
    for file in (folder / dataset / "changes").glob("*.jsonl"):
        for line in file.read_bytes().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            start = int(json.loads(event["source"]["sequence"])[0])
            by_place[start, event["transaction"]["total_order"], line] = event
    return [by_place[place] for place in sorted(by_place)]


def real_state(folder: Path, dataset: str, through: date) -> list[dict]:
    """Return the rows that are real after snapshot and log, folded by key in the order of the log.

    Rows of the snapshot stand as lists, since coupons repeat.
    """
    return folded(folder, dataset, events(folder, dataset, through))


def folded(folder: Path, dataset: str, logged: list[dict]) -> list[dict]:
    """Return the rows that are real after the snapshot and some events."""
    keys = source.KEYS[dataset]
    state: dict[tuple, list[tuple[str, dict]]] = {}
    snapshot = pq.read_table(folder / dataset / "snapshot").to_pylist()
    for row in snapshot:
        origin = row.pop("_origin")
        state.setdefault(tuple(row[k] for k in keys), []).append((origin, row))
    for event in logged:
        image = event["after"] or event["before"]
        # what is synthetic may be no row at all, and is left as text
        row = typed(image) if event["_origin"] == "real" else image
        key = tuple(image[k] for k in keys)
        if event["op"] == "c":
            state.setdefault(key, []).append((event["_origin"], row))
        elif event["op"] == "u":
            state[key] = [(event["_origin"], row)]
        elif event["op"] == "d":
            del state[key]
    return [row for versions in state.values() for origin, row in versions if origin == "real"]


def as_multiset(rows: list[dict]) -> Counter:
    return Counter(tuple(sorted(row.items())) for row in rows)
