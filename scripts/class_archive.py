"""The class archive that halves the JVM's start, made when Java, the jars or PySpark changed."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from place import ROOT, VENV, read_stamp, say, write_stamp


def ensure(java: Path) -> None:
    """Make the archive, unless the stamp says it is there; without one all works, more slowly."""
    key = _key(java)
    stamp = read_stamp("archive")
    if stamp.get("key") == key and Path(stamp["archive"]).exists():
        return
    say("making the class archive (half a minute, once)")
    program = "from lakehouse.engine.class_archive import build; from lakehouse.settings import settings; "
    program += "print(build(settings()))"
    done = subprocess.run(
        [VENV / "bin" / "python", "-c", program],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        say("no class archive could be made: commands that use Spark start more slowly")
        return
    write_stamp("archive", key=key, archive=done.stdout.split()[-1])


def _key(java: Path) -> str:
    parts = hashlib.sha256(f"{ROOT} {java} {java.stat().st_mtime_ns}".encode())
    for name in ("scripts/jars.lock", "uv.lock", "lakehouse/engine/class_archive.py"):
        parts.update((ROOT / name).read_bytes())
    return parts.hexdigest()
