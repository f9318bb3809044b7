"""Java 17 or later, which Spark needs: found, or installed by root on Debian."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from place import SetUpError, apt, read_stamp, write_stamp

_OLDEST = 17
_PACKAGE = "openjdk-17-jre-headless"
_HINT = (
    f"Spark needs Java {_OLDEST} or later: install {_PACKAGE} (or set JAVA_HOME), "
    "then run this again"
)


def ensure() -> Path:
    """Return the Java that Spark will use; install it when there is none and we may."""
    java = _suitable()
    if java is None:
        if os.environ.get("JAVA_HOME"):
            raise SetUpError(f"JAVA_HOME={os.environ['JAVA_HOME']} has no Java {_OLDEST} or later")
        apt(_PACKAGE, _HINT)
        java = _suitable()
    if java is None:
        raise SetUpError(f"{_PACKAGE} is installed, yet `java` is an older one: set JAVA_HOME")
    return java


def _suitable() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    place = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if place is None:
        return None
    java = Path(place).resolve()
    mark = {"java": str(java), "modified": java.stat().st_mtime_ns}
    if read_stamp("java") == mark:
        return java
    if _release(java) < _OLDEST:
        return None
    write_stamp("java", **mark)
    return java


def _release(java: Path) -> int:
    """Return the feature release: 17 of "17.0.21", 8 of "1.8.0"; 0 where java does not run."""
    try:
        done = subprocess.run([java, "-version"], check=False, capture_output=True, text=True)
    except OSError:
        return 0
    version = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(version.group(1)) if version else 0
