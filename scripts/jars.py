"""The pinned jars, fetched once by the Ivy that PySpark carries and checked by SHA-256.

Ivy's own default settings say where jars come from; `LAKEHOUSE_IVY_SETTINGS` names an
`ivysettings.xml` for a mirror. Dependencies of the jars are not followed: the lock is the list.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from place import ROOT, TOOLS, VENV, SetUpError, say

_LOCK = ROOT / "scripts" / "jars.lock"


class Jar(NamedTuple):
    """One line of the lock file."""

    name: str
    organisation: str
    revision: str
    sha256: str

    @property
    def file(self) -> str:
        """Return the file's name."""
        return f"{self.name}-{self.revision}.jar"


def locked(lock: Path = _LOCK) -> list[Jar]:
    """Return the jars of a lock file, in its order."""
    lines = (line.split("#")[0].split() for line in lock.read_text().splitlines())
    return [Jar(*line) for line in lines if line]


def ensure(java: Path, folder: Path = TOOLS / "jars", lock: Path = _LOCK) -> None:
    """Bring the folder to what the lock says: fetch what is missing, remove what is not named."""
    wanted = locked(lock)
    folder.mkdir(parents=True, exist_ok=True)
    for other in {*folder.glob("*.jar")} - {folder / jar.file for jar in wanted}:
        other.unlink()  # an older revision on the class path would win or lose by its name
    missing = [jar for jar in wanted if not _is_good(folder / jar.file, jar)]
    if not missing:
        return
    for jar in missing:
        (folder / jar.file).unlink(missing_ok=True)  # never on the class path while it is wrong
    say(f"fetching {', '.join(jar.file for jar in missing)}")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        log = _ivy(java, missing, Path(scratch))
        for jar in missing:
            fetched = Path(scratch) / "jars" / jar.file
            if not fetched.exists():
                raise SetUpError(f"could not fetch {jar.file}: is there a network?\n{log}")
            if not _is_good(fetched, jar):
                raise SetUpError(
                    f"{jar.file} was fetched and removed again: its checksum is "
                    f"{_sha256(fetched)}, and {lock.name} says {jar.sha256}"
                )
            fetched.replace(folder / jar.file)


def _is_good(path: Path, jar: Jar) -> bool:
    return path.exists() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ivy(java: Path, wanted: list[Jar], scratch: Path) -> str:
    """Retrieve jars into `scratch/jars` and return the last lines of Ivy's log."""
    module = scratch / "ivy.xml"
    rows = "\n".join(
        f'<dependency org="{jar.organisation}" name="{jar.name}" rev="{jar.revision}" '
        f'transitive="false" conf="default->default"/>'
        for jar in wanted
    )
    module.write_text(
        '<ivy-module version="2.0"><info organisation="lakehouse" module="set-up"/>'
        f"<dependencies>{rows}</dependencies></ivy-module>"
    )
    mirror = os.environ.get("LAKEHOUSE_IVY_SETTINGS")
    spark_jars = next(VENV.glob("lib/python3*/site-packages/pyspark/jars"))
    command = [java, "-cp", f"{spark_jars}/*", "org.apache.ivy.Main", "-warn"]
    command += ["-cache", scratch / "cache", "-ivy", module, "-confs", "default", "-types", "jar"]
    command += ["-retrieve", f"{scratch}/jars/[artifact]-[revision].[ext]"]
    command += ["-settings", mirror] if mirror else []
    done = subprocess.run(
        [str(word) for word in command], check=False, capture_output=True, text=True
    )
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
