"""One writer a domain: a lock that the kernel releases when its process dies."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.errors import DomainLocked

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextmanager
def lock_domain(home: Path, domain: str, command: str) -> Generator[None]:
    """Lock a domain for the length of the block.

    Raises:
        DomainLocked: another process has the lock; the message names it and its command.
    """
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{domain}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DomainLocked(_message(domain, file.read())) from None
        file.truncate(0)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(json.dumps({"pid": os.getpid(), "command": command, "since": now}))
        file.flush()
        yield


def _message(domain: str, text: str) -> str:
    try:
        owner = json.loads(text)
    except ValueError:
        return f"domain '{domain}' is being worked on by another process; try again when it is done"
    return (
        f"domain '{domain}' is being worked on by process {owner['pid']} "
        f"({owner['command']}, since {owner['since']}); try again when it is done"
    )
