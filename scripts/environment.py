"""The Python environment of the project: uv where there is none, then what the lock file says."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from place import ROOT, TOOLS, VENV, apt, read_stamp, run, say, write_stamp

_UV_PINNED = ROOT / "scripts" / "uv.txt"
_UV_OLDEST = (0, 8)  # reads this lock file's format


def ensure(groups: list[str]) -> None:
    """Install the locked environment with these groups, unless the stamp says it is there.

    Groups are only ever added: `make demo` after `make test` takes nothing away.
    """
    stamp = read_stamp("environment") if (VENV / "bin" / "lakehouse").exists() else {}
    key = _key()
    installed = set(stamp.get("groups", [])) if stamp.get("key") == key else set()
    if stamp.get("key") == key and installed >= set(groups):
        return
    wanted = sorted({*groups, *stamp.get("groups", [])})
    uv = _uv()
    write_stamp("environment", groups=wanted)  # no key: begun, not done
    say("installing the locked environment (some minutes the first time)")
    flags = [flag for group in wanted for flag in ("--group", group)]
    python = [] if (VENV / "bin" / "python").exists() else ["--python", _base_python()]
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    # an environment that happens to be active is not ours to change
    os.environ["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    run(
        [uv, "sync", "--frozen", "--inexact", "--quiet", "--compile-bytecode", *python, *flags],
        "uv could not install the environment; with a network, run the same command again",
    )
    write_stamp("environment", key=key, groups=wanted)


def _key() -> str:
    """Return what the environment depends on: the lock, the project, the folder, the Python."""
    parts = hashlib.sha256(f"{ROOT} {sys.version_info[:3]}".encode())
    for name in ("uv.lock", "pyproject.toml"):
        parts.update((ROOT / name).read_bytes())
    return parts.hexdigest()


def _base_python() -> Path:
    return Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"


def _uv() -> Path:
    for place in (shutil.which("uv"), TOOLS / "uv" / "bin" / "uv"):
        if place and _version(Path(place)) >= _UV_OLDEST:
            return Path(place)
    say("installing uv into .tools")
    home = TOOLS / "uv"
    shutil.rmtree(home, ignore_errors=True)
    if _make_environment(home):
        package = f"python3.{sys.version_info.minor}-venv"
        apt(
            package, f"Python lacks the venv module: install {package} (or uv), then run this again"
        )
        run([_base_python(), "-m", "venv", home], "Python could not make an environment for uv")
    pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    run([*pip, "--require-hashes", "-r", _UV_PINNED], "pip could not fetch uv: is there a network?")
    return home / "bin" / "uv"


def _make_environment(home: Path) -> int:
    command = [_base_python(), "-m", "venv", home]
    return subprocess.run(command, check=False, capture_output=True).returncode


def _version(uv: Path) -> tuple[int, ...]:
    try:
        done = subprocess.run([uv, "--version"], check=False, capture_output=True, text=True)
    except OSError:
        return ()
    number = re.search(r"(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, number.groups())) if number else ()
