"""A value has one text under its hash, whatever its type's width and the session's mode."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from pyspark.sql.types import DecimalType, StructField, StructType

from contracts.compilers.hash_keys import normalised_text

EDGES = ("0", "0.000000001", "-0.000000001", "0.000000999", "0.000001", "-0.000001", "-0.5")


KINDS = ((38, 9), (38, 2), (10, 2), (9, 0), (15, 6), (16, 7), (18, 4))


@pytest.mark.spark
@pytest.mark.parametrize("ansi", ["true", "false"])
@pytest.mark.parametrize(("precision", "scale"), KINDS)
def test_a_decimal_has_nine_places_and_no_exponent(spark, ansi, precision, scale):
    """Spark itself writes 0E-9 for zero outside ANSI mode; a type's width changes no text."""
    chance = Random(1)
    places, digits = min(scale, 9), min(precision - scale, 16) + min(scale, 9)
    small = [chance.randint(-(10 ** min(6, digits)), 10 ** min(6, digits)) for _ in range(300)]
    large = [chance.randint(1 - 10**digits, 10**digits - 1) for _ in range(300)]
    edges = [int(value * 10**places) for value in map(Decimal, EDGES)]
    values = [Decimal(value).scaleb(-places) for value in (*edges, *small, *large)]
    kind = DecimalType(precision, scale)
    rows = spark.createDataFrame([(v,) for v in values], StructType([StructField("x", kind)]))
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        text = normalised_text("x", f"decimal({precision},{scale})")
        texts = [row[0] for row in rows.selectExpr(text).collect()]
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)
    assert texts == [f"{value:.9f}" for value in values]
