"""The JVM behind the Spark session: started without Spark's shell scripts, quiet, and early.

PySpark starts its JVM through two shell scripts and a second JVM that only prints a command
line. Starting the gateway ourselves saves that, takes a class archive and lets the imports of a
command run while the JVM boots. PySpark joins a running gateway by `PYSPARK_GATEWAY_PORT` and
`PYSPARK_GATEWAY_SECRET`; the gateway ends when its standard input closes, so it never outlives
this process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakehouse.settings import Settings

LOGGING = Path(__file__).resolve().parent / "log4j2.properties"
LOOPBACK = "127.0.0.1"
_MAIN = "org.apache.spark.api.python.PythonGatewayServer"
_LOG_BYTES = 10_000_000
_BOOT_SECONDS = 120

# What Spark's launcher opens of the JDK, less the incubating vector module: only MLlib's
# linear algebra uses that, and naming it costs a warning and the JDK's own class archive.
_OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)

# Generated classes fill the code cache; at its default size the JVM spends more time sweeping it than
# running. It is address space, not memory. And a wide row's stage is one method of more than 8,000
# bytes, which the JVM would never compile: keys and hashes of a row took twice the time.
_CODE = (
    "-XX:ReservedCodeCacheSize=512m",
    "-XX:-UseCodeCacheFlushing",
    "-XX:-DontCompileHugeMethods",
)
_SHORT = (*_CODE, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_LONG = (*_CODE, "-XX:+UseParallelGC")


@dataclass(frozen=True)
class Gateway:
    """One running JVM and the file into which it writes its port and secret."""

    process: subprocess.Popen[bytes]
    connection_file: Path
    log: Path

    @cached_property
    def address(self) -> tuple[int, str]:
        """Return port and secret, waiting for the JVM to boot.

        Raises:
            LakehouseError: the JVM ended, or was not reachable within two minutes.
        """
        until = time.monotonic() + _BOOT_SECONDS
        while not self.connection_file.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise LakehouseError(
                    f"the JVM did not start; {self.log} ends with:\n{self._tail()}"
                )
            time.sleep(0.02)
        content = self.connection_file.read_bytes()
        shutil.rmtree(self.connection_file.parent, ignore_errors=True)
        port, length = struct.unpack(">ii", content[:8])
        return port, content[8 : 8 + length].decode()

    def end(self, seconds: float) -> None:
        """End the JVM by closing its input, and wait for it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(seconds)

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


def launch(settings: Settings, *, short: bool = False, options: Sequence[str] = ()) -> Gateway:
    """Return a JVM that has begun to boot; `options` are added to its command line.

    A `short` run compiles fast and never well, which halves the cost of its first queries and
    multiplies that of a long one.
    """
    tuned = [*jvm_options(settings), *(_SHORT if short else _LONG), *options]
    command = [java(), *tuned, "-cp", class_path(settings), _MAIN]
    connection_file = Path(tempfile.mkdtemp(prefix="lakehouse-")) / "gateway"
    log = _log(settings)
    environment = dict(os.environ)
    environment["_PYSPARK_DRIVER_CONN_INFO_PATH"] = str(connection_file)
    if is_local(settings):
        environment["SPARK_LOCAL_IP"] = LOOPBACK  # a machine's own name may not resolve offline
    environment["SPARK_HOME"] = str(_pyspark())  # whence Python workers are started
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is ours, word by word
            [*command, "pyspark-shell"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=environment,
            process_group=0,  # Ctrl-C is for Python, which then ends the JVM
        )
    return Gateway(process, connection_file, log)


def is_local(settings: Settings) -> bool:
    """Return whether Spark's workers are threads of this JVM."""
    return settings.spark_master.startswith("local")


def java() -> str:
    """Return the Java executable: that of `JAVA_HOME`, else the first on the path."""
    home = os.environ.get("JAVA_HOME")
    executable = (
        shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    )
    if executable is None:
        place = f"JAVA_HOME={home}" if home else "the path"
        raise LakehouseError(
            f"Spark needs Java 17 or later and {place} has none: run `make setup`, or set JAVA_HOME"
        )
    return executable


def jvm_options(settings: Settings) -> list[str]:
    """Return the options every JVM of ours is started with."""
    class_archive = archive(settings)
    return [
        f"-Xmx{settings.driver_memory}",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
        "-Duser.timezone=UTC",
        *([f"-XX:SharedArchiveFile={class_archive}"] if class_archive.exists() else []),
    ]


def archive(settings: Settings) -> Path:
    """Return where the class archive of this Java and these jars is, or would be.

    The JVM refuses an archive when a jar's time, in seconds, or its size differs, hence both in
    the name.
    """
    parts = [Path(java()).resolve(), *jars(settings), *_spark_jars()]
    marks = [f"{part} {part.stat().st_size} {int(part.stat().st_mtime)}" for part in parts]
    key = hashlib.sha256("\n".join(marks).encode()).hexdigest()
    return settings.tools / f"classes-{key[:12]}.jsa"


def class_path(settings: Settings) -> str:
    """Return the class path: our jars, then PySpark's, in a fixed order, as an archive needs it."""
    return os.pathsep.join(map(str, [*jars(settings), *_spark_jars()]))


def jars(settings: Settings) -> list[Path]:
    """Return the jars that set-up fetched, sorted."""
    delta_jars = sorted((settings.tools / "jars").glob("*.jar"))
    if not delta_jars:
        raise LakehouseError(
            f"no Delta jars in {settings.tools / 'jars'}: run `make setup`, which fetches them once"
        )
    return delta_jars


def _pyspark() -> Path:
    spec = importlib.util.find_spec("pyspark")  # without importing it: that takes a second
    if spec is None or spec.origin is None:
        raise LakehouseError("pyspark is not installed: run `make setup`")
    return Path(spec.origin).parent


def _spark_jars() -> list[Path]:
    # the logging facade first, as Spark's own launcher has it
    paths = (_pyspark() / "jars").glob("*.jar")
    return sorted(paths, key=lambda jar: (not jar.name.startswith("slf4j-api"), jar.name))


def _log(settings: Settings) -> Path:
    path = settings.home / "logs" / "spark.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path
