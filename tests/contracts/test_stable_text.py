"""A value has one text under its hash, whatever its type's width and the session's mode."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from pyspark.sql.types import DecimalType, StructField, StructType

from contracts.sql import stable_text

TELLING = ("0", "0.000000001", "-0.000000001", "0.000000999", "0.000001", "-0.000001", "-0.5")


@pytest.mark.spark
@pytest.mark.parametrize("ansi", ["true", "false"])
def test_a_decimal_has_nine_places_and_no_exponent(spark, ansi):
    """Spark itself writes 0E-9 for zero outside ANSI mode."""
    chance = Random(1)
    small = [Decimal(chance.randint(-(10**6), 10**6)).scaleb(-9) for _ in range(500)]
    large = [Decimal(chance.randint(-(10**25), 10**25)).scaleb(-9) for _ in range(500)]
    values = [*map(Decimal, TELLING), *small, *large]
    kind = StructType([StructField("x", DecimalType(38, 9))])
    rows = spark.createDataFrame([(value,) for value in values], kind)
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        found = [row[0] for row in rows.selectExpr(stable_text("x", "decimal(38,9)")).collect()]
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)
    assert found == [f"{value:.9f}" for value in values]
