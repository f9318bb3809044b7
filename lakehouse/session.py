"""The Spark session every layer shares: one JVM, Delta, the in-memory catalog, little noise."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.settings import settings as read_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOGGING = Path(__file__).resolve().parent / "log4j2.properties"
LOOPBACK = "127.0.0.1"


def spark(settings: Settings | None = None, app: str = "lakehouse") -> SparkSession:
    """Return this process's Spark session, starting the JVM at the first call.

    Raises:
        LakehouseError: Java or the Delta jars are missing.
    """
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    chosen = settings or read_settings()
    _require_java()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    builder = SparkSession.builder.appName(app).master(chosen.spark_master)
    for key, value in options(chosen).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def options(settings: Settings) -> dict[str, str]:
    """Return the Spark configuration of a local run, option by option."""
    jars = _jars(settings)
    cores = str(os.cpu_count() or 2)
    scratch = settings.home / "spark"
    scratch.mkdir(parents=True, exist_ok=True)
    return {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": settings.warehouse,
        "spark.local.dir": str(scratch),
        "spark.driver.extraClassPath": os.pathsep.join(map(str, jars)),
        "spark.jars": ",".join(map(str, jars)),
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": cores,
        "spark.default.parallelism": cores,
        "spark.sql.session.timeZone": "UTC",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{LOGGING} -Duser.timezone=UTC",
    }


def _jars(settings: Settings) -> list[Path]:
    found = sorted((settings.tools / "jars").glob("*.jar"))
    if not found:
        message = f"no Delta jars in {settings.tools / 'jars'}: run `make setup`, which fetches them once"
        raise LakehouseError(message)
    return found


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return
    if shutil.which("java") is None:
        message = "Spark needs Java 17 or later and none was found: run `make setup`, or set JAVA_HOME"
        raise LakehouseError(message)
