"""One writer a domain: a lock that the kernel gives back when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def exclusive(home: Path, domain: str, what: str) -> Iterator[None]:
    """Hold the domain for the length of the block; raise Busy, naming the holder, if it is held."""
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{domain}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(_holder(domain, file.read())) from None
        file.truncate(0)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(json.dumps({"pid": os.getpid(), "what": what, "since": now}))
        file.flush()
        yield


def _holder(domain: str, text: str) -> str:
    try:
        holder = json.loads(text)
    except ValueError:
        return f"domain '{domain}' is being worked on by another process; try again when it is done"
    return (
        f"domain '{domain}' is being worked on by process {holder['pid']} "
        f"({holder['what']}, since {holder['since']}); try again when it is done"
    )
