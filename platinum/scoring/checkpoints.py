"""A stream's checkpoint on disk: whether it can be read, and where one goes that cannot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = "-"


def damaged(checkpoint: Path) -> str:
    """Return which file of a checkpoint cannot be read, empty where all can or none is there.

    A file is damaged when it is empty, cut off or no JSON; a disk that lost its last writes leaves
    such. Spark would stop at it each time it starts.
    """
    metadata = checkpoint / "metadata"
    if metadata.exists() and not _is_json(_text(metadata)):
        return metadata.name
    logs = [
        path
        for folder in ("offsets", "commits")
        for path in sorted((checkpoint / folder).glob("*"))
        if path.name.isdigit()
    ]
    if logs and not metadata.exists():
        return metadata.name
    for path in logs:
        version, *lines = _text(path).splitlines() or [""]
        if not (version[:1] == "v" and version[1:].isdigit() and lines):
            return f"{path.parent.name}/{path.name}"
        if not all(line == NOTHING or _is_json(line) for line in lines):
            return f"{path.parent.name}/{path.name}"
    return ""


def set_aside(checkpoint: Path) -> Path:
    """Rename a checkpoint, so that a new one begins in its place, and return where it is now."""
    number = 1
    while (aside := checkpoint.with_name(f"{checkpoint.name}.damaged-{number}")).exists():
        number += 1
    return checkpoint.rename(aside)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
