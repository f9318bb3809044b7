"""Where set-up puts things, and how it says what it does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"


class SetUpError(Exception):
    """One line that says what is missing and what to do."""


def read_stamp(name: str) -> dict[str, Any]:
    """Return what a step wrote when it was done; nothing where it never was."""
    try:
        return json.loads((TOOLS / f"{name}.json").read_text())
    except (OSError, ValueError):
        return {}


def write_stamp(name: str, **content: Any) -> None:
    """Write down that a step is done, and what it depended on."""
    TOOLS.mkdir(exist_ok=True)
    (TOOLS / f"{name}.json").write_text(json.dumps(content))


def say(text: str) -> None:
    """Print one line at once, so that it stands above the output of what follows."""
    print(f"set-up: {text}", flush=True)


def run(command: Sequence[str | Path], problem: str) -> None:
    """Run a command; a failure becomes `problem`, below the command's own output."""
    if subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode:
        raise SetUpError(problem)


def apt(package: str, otherwise: str) -> None:
    """Install a Debian package when we are root on Debian; else say `otherwise` and stop."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetUpError(otherwise)
    say(f"installing {package}")
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    subprocess.run([*quiet, "update"], check=False)  # a stale mirror beside a good one is no end
    run([*quiet, "install", "-y", "--no-install-recommends", package], otherwise)
