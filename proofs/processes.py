"""Processes of the command line: watched by the commits they make, and killed from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.settings import Settings

GIVE_UP_SECONDS = 300
LOOK_EVERY_SECONDS = 0.008


@dataclass(frozen=True)
class Ended:
    """How a process ended: the commits that it made, in order; `exit_code` is None if it was killed."""

    commits: tuple[str, ...]
    exit_code: int | None
    messages: str = ""

    @property
    def killed(self) -> bool:
        """Return whether the process was killed, rather than ended by itself."""
        return self.exit_code is None

    @property
    def last_commit(self) -> str:
        """Return the last commit before the end, empty where there was none."""
        return self.commits[-1] if self.commits else ""


def commits(home: Path) -> list[str]:
    """Return the commits of all tables, as `layer/table/version`, oldest first."""
    logs = [
        (log.stat().st_mtime_ns, log) for log in (home / "warehouse").glob("*/*/_delta_log/*.json")
    ]
    return [
        f"{log.parent.parent.parent.name}/{log.parent.parent.name}/{log.stem}"
        for _, log in sorted(logs)
    ]


def run_and_kill(
    settings: Settings,
    arguments: Sequence[str],
    reached: Callable[[Sequence[str]], bool],
    delay: float = 0.0,
) -> Ended:
    """Run Python with arguments; kill it and its JVM some seconds after its commits reached a point.

    `reached` is called with the commits that are new since the start, oldest first.
    """
    before = set(commits(settings.home))

    def made() -> list[str]:
        return [commit for commit in commits(settings.home) if commit not in before]

    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=_environment(settings), stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        try:
            _wait(process, lambda: reached(made()), delay)
        finally:
            # Its JVM is in the same group.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        errors.seek(0)
        messages = errors.read().decode("utf-8", "replace").strip()
    return Ended(tuple(made()), None if code == -signal.SIGKILL else code, messages)


def _wait(process: subprocess.Popen[bytes], reached: Callable[[], bool], delay: float) -> None:
    """Return when the process is to be killed, or has ended by itself."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if reached():
            with suppress(subprocess.TimeoutExpired):
                process.wait(delay)
            return
        time.sleep(LOOK_EVERY_SECONDS)


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "LAKEHOUSE_HOME": str(settings.home),
        "LAKEHOUSE_CONTRACTS": str(settings.contracts),
        "LAKEHOUSE_DBT_PROJECT": str(settings.dbt_project),
        "LAKEHOUSE_DRIVER_MEMORY": "1g",
    }
