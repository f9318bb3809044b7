"""The catalog of the tests' one Spark session."""

from __future__ import annotations

from lakehouse.layers import STORED


def clear(spark):
    """Drop every name of the layers: names must not outlive their home."""
    # Delta keeps what it knows of each table, with its plans; the tests make hundreds.
    spark.sparkContext._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    databases = {database.name for database in spark.catalog.listDatabases()}
    for layer in databases & set(STORED):
        spark.sql(f"drop database {layer} cascade")
