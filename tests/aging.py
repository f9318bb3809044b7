"""Makes a table's past longer ago, for tests of what happens to it after days."""

from __future__ import annotations

import json
import os
from pathlib import Path

DAY = 24 * 3600


def age(folder, days):
    """Move every commit and file of a table to `days` days earlier than it was."""
    log = Path(folder, "_delta_log")
    assert not list(log.glob("*.checkpoint*")), "a checkpoint repeats times of removal"
    for path in sorted(log.glob("*.json")):
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        for action in actions:
            for kind, field in (
                ("commitInfo", "timestamp"),
                ("remove", "deletionTimestamp"),
                ("add", "modificationTime"),
            ):
                if field in action.get(kind, {}):
                    action[kind][field] -= days * DAY * 1000
        at = path.stat().st_mtime - days * DAY
        path.write_text("".join(json.dumps(action) + "\n" for action in actions))
        os.utime(path, (at, at))
    # Spark checks its logs against these
    for path in log.glob("*.crc"):
        path.unlink()
    for path in Path(folder).rglob("*.parquet"):
        at = path.stat().st_mtime - days * DAY
        os.utime(path, (at, at))
