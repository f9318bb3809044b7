"""The archive of loaded classes that halves the JVM's start: made once, by running a little of all.

Class data sharing: JEP 350 (openjdk.org/jeps/350). The JVM checks the class path against the
archive and goes on without it where they differ, so a stale archive costs time, never a result.
"""

# PySpark has partial types
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.engine import gateway, session
from lakehouse.settings import Settings
from lakehouse.settings import settings as read_settings
from lakehouse.storage.atomic_file import atomic_file

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EXIT_SECONDS = 180


def build(settings: Settings) -> Path:
    """Return the archive of this Java, these jars; write it where it is not there yet.

    The workload uses what every command uses: a query, Delta writes, a merge, a stream and a
    Python worker. Only classes matter here, so it reads nothing of the lakehouse.
    """
    archive = gateway.archive(settings)
    if archive.exists():
        return archive
    for old in archive.parent.glob("classes-*"):
        old.unlink()
    with (
        atomic_file(archive) as partial,
        tempfile.TemporaryDirectory(prefix="lakehouse-") as scratch,
    ):
        away = settings.model_copy(update={"home": Path(scratch), "warehouse": f"{scratch}/tables"})
        jvm = session.boot(away, options=[f"-XX:ArchiveClassesAtExit={partial}"])
        spark = session.spark(away)
        _exercise(spark, Path(scratch))
        spark.stop()
        jvm.end(_EXIT_SECONDS)
    return archive


def _exercise(spark: SparkSession, scratch: Path) -> None:
    from delta.tables import DeltaTable
    from pyspark.sql import functions as F

    path, copy = str(scratch / "a"), str(scratch / "b")
    rows = spark.range(200).select(
        F.col("id"),
        (F.col("id") % 7).alias("g"),
        F.sha2(F.col("id").cast("string"), 256).alias("h"),
        F.current_timestamp().alias("at"),
        F.col("id").cast("decimal(10,2)").alias("d"),
    )
    rows.write.format("delta").save(path)
    rows.write.format("delta").mode("append").save(path)
    table = DeltaTable.forPath(spark, path)
    table.alias("t").merge(
        rows.filter("id > 100").alias("s"), "t.id = s.id and t.g = s.g"
    ).whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
    spark.sql("create database if not exists x")
    spark.sql(f"create table x.a using delta location '{path}'")
    spark.sql(
        "with r as (select *, row_number() over (partition by g order by at desc) n from x.a) "
        "select g, max_by(h, at), count(*), sum(d) from r left anti join "
        "(select id from x.a where id < 5) b on r.id = b.id group by g order by g"
    ).collect()
    rows.coalesce(1).write.parquet(str(scratch / "p"))
    rows.write.json(str(scratch / "j"))
    spark.read.schema("id bigint, g bigint").json(str(scratch / "j")).collect()
    spark.read.parquet(str(scratch / "p")).mapInArrow(
        lambda batches: batches, rows.schema
    ).toArrow()
    spark.readStream.format("delta").option("ignoreChanges", "true").load(path).writeStream.format(
        "delta"
    ).option("checkpointLocation", str(scratch / "c")).trigger(availableNow=True).start(
        copy
    ).awaitTermination()


if __name__ == "__main__":
    sys.stdout.write(f"{build(read_settings())}\n")
