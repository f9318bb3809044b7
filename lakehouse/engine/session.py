"""The Spark session every layer shares: one JVM, Delta, the in-memory catalog, little noise."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from lakehouse.engine import gateway
from lakehouse.settings import Settings
from lakehouse.settings import settings as read_settings

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from pyspark.sql import SparkSession

# A day's changes are few rows in many queries: to fuse the operators of each stage into a class of
# its own, to replan a query on the way and to split it into tasks takes longer than it saves, as
# long as what they are joined with is small too. Of expressions classes are still made: a process
# that does not optimise (see pipeline/workload.py) took 58 s for a day's gold with them and 68 s without.
SMALL_WORKLOAD = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.files.minPartitionNum": "1",
}
# A contract's expressions are long. Some thousand rows are validated sooner by walking them than by
# making classes of them: a day's silver took 11 s instead of 16 s, its bronze 9.6 s instead of 11 s.
INTERPRETED = SMALL_WORKLOAD | {"spark.sql.codegen.factoryMode": "NO_CODEGEN"}

_booting: list[gateway.Gateway] = []
_one_at_a_time = RLock()


def boot(
    settings: Settings | None = None, *, short: bool = False, options: Sequence[str] = ()
) -> gateway.Gateway:
    """Start the JVM and return at once, so that imports run meanwhile; `spark()` joins it."""
    with _one_at_a_time:
        if not _booting:
            jvm = gateway.launch(settings or read_settings(), short=short, options=options)
            _booting.append(jvm)
        return _booting[0]


def spark(
    settings: Settings | None = None, app: str = "lakehouse", *, short: bool = False
) -> SparkSession:
    """Return this process's Spark session, starting the JVM at the first call.

    `short` is for a command that runs few queries: it compiles quickly and never well.

    Raises:
        LakehouseError: Java or the Delta jars are missing, or the JVM does not start.
    """
    chosen = settings or read_settings()
    jvm = boot(chosen, short=short)
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    with _one_at_a_time, _joined(jvm):
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        builder = SparkSession.builder.appName(app).master(chosen.spark_master)
        for key, value in options(chosen).items():
            builder = builder.config(key, value)
        return builder.getOrCreate()


@contextmanager
def configured(session: SparkSession, chosen: Mapping[str, str]) -> Generator[None]:
    """Set options of a session for the length of a block."""
    before = {key: session.conf.get(key, None) for key in chosen}
    try:
        for key, value in chosen.items():
            session.conf.set(key, value)
        yield
    finally:
        for key, value in before.items():
            if value is None:
                session.conf.unset(key)
            else:
                session.conf.set(key, value)


def options(settings: Settings) -> dict[str, str]:
    """Return the Spark configuration of a session, option by option."""
    cores = str(os.cpu_count() or 2)
    scratch = settings.home / "spark"
    scratch.mkdir(parents=True, exist_ok=True)
    return {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": settings.warehouse,
        "spark.local.dir": str(scratch),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": cores,
        "spark.default.parallelism": cores,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.databricks.delta.snapshotPartitions": "2",
        # A model's query is compiled to many classes; a process that is left on meets them again.
        "spark.sql.codegen.cache.maxEntries": "2000",
        # What a process that is left on would keep of tables and queries it is done with
        "spark.databricks.delta.delta.log.cacheSize": "100",
        "spark.sql.ui.retainedExecutions": "20",
        "spark.ui.retainedJobs": "50",
        "spark.ui.retainedStages": "50",
        "spark.ui.retainedTasks": "1000",
        # half of snappy's bytes at the same CPU time, on rows full of hash keys
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        **(_ALONE if gateway.is_local(settings) else _clustered(settings)),
    }


_ALONE = {
    "spark.driver.host": gateway.LOOPBACK,
    "spark.driver.bindAddress": gateway.LOOPBACK,
}


def _clustered(settings: Settings) -> dict[str, str]:
    """Return what workers on other machines need: the jars, an address, a shared secret."""
    secret = os.environ.get("LAKEHOUSE_SPARK_SECRET")
    authentication = (
        {"spark.authenticate": "true", "spark.authenticate.secret": secret} if secret else {}
    )
    return {"spark.jars": ",".join(map(str, gateway.jars(settings))), **authentication}


@contextmanager
def _joined(jvm: gateway.Gateway) -> Generator[None]:
    """Let PySpark find the JVM while it looks, and leave the environment as it was."""
    port, secret = jvm.address
    os.environ.update(PYSPARK_GATEWAY_PORT=str(port), PYSPARK_GATEWAY_SECRET=secret)
    try:
        yield
    finally:
        del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]
