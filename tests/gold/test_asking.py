"""Small questions: the answer is Spark's, or none."""

import datetime as dt
import math
import random
from decimal import Decimal

import pyarrow as pa
import pytest

from gold.asking import answer
from lakehouse.tables import TableName, Tables

ROWS, PARENTS = TableName("gold", "asked__rows"), TableName("gold", "asked__parents")
SCHEMA = pa.schema(
    [
        ("key", pa.binary()),
        ("name", pa.string()),
        ("price", pa.decimal128(9, 2)),
        ("share", pa.float64()),
        ("day", pa.date32()),
        ("since", pa.timestamp("us", tz="UTC")),
        ("until", pa.timestamp("us", tz="UTC")),
        ("_batch", pa.int64()),
    ]
)
CONDITIONS = (
    "audited.key is null",
    r"audited.name not in ('a', 'b\'c')",
    "not (price >= 0 and share between 0 and 1)",
    "not (until is null or until > since)",
    "not (share < 0.5 or name = 'a')",
    "not (day >= date'2024-01-03')",
    "audited.key is not null and parent._member is null",
)
COUNTS = """
    select
        {rules},
        sum(case when copies > 1 then copies end) as repeated
    from (
        select count(*) as copies, {counts}
        from gold.asked__rows as audited
        left join (select distinct key as _member from gold.asked__parents) as parent
            on audited.key = parent._member
        where audited._batch > {since}
        group by audited.key, audited.day
    ) as by_key
"""


def row(chosen):
    """A row of values from few, so that they repeat, and nulls."""
    moments = [dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (1, 2)]
    return {
        "key": chosen.choice([b"a", b"b", b"\x00", None]),
        "name": chosen.choice(["a", "b'c", "d", None]),
        "price": chosen.choice([Decimal("0.00"), Decimal("-1.50"), None]),
        "share": chosen.choice([0.0, 0.5, 1.5, -0.0, math.nan, math.inf, None]),
        "day": dt.date(2024, 1, chosen.randint(1, 5)),
        "since": chosen.choice(moments),
        "until": chosen.choice([*moments, None]),
        "_batch": chosen.randint(1, 4),
    }


@pytest.fixture
def tables(settings):
    found = Tables.at(settings)
    found.append(PARENTS, pa.table({"key": pa.array([b"a", b"b", None])}))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_answer_is_sparks(catalog, tables, seed):
    """Counts under conditions, with nulls, NaN, decimals, binaries and dates, in one row."""
    chosen = random.Random(seed)
    for _ in range(3):
        rows = [row(chosen) for _ in range(chosen.randint(0, 40))]
        tables.append(ROWS, pa.Table.from_pylist(rows, schema=SCHEMA))
    numbers = range(len(CONDITIONS))
    query = COUNTS.format(
        rules=", ".join(f"sum(rule_{n}) as rule_{n}" for n in numbers),
        counts=", ".join(f"count_if({CONDITIONS[n]}) as rule_{n}" for n in numbers),
        since=chosen.randint(0, 4),
    )
    asked = query
    for name in (ROWS, PARENTS):
        asked = asked.replace(str(name), f"delta.`{tables.path(name)}`")
    wanted = catalog.sql(asked).collect()
    assert answer(query, tables.warehouse) == [tuple(wanted[0])]


def test_bounds_are_told_as_text(tables):
    """The last day and the greatest batch, and nulls where there is no row."""
    day = dt.date(2024, 2, 29)
    rows = [row(random.Random(0)) | {"day": day, "_batch": 7}]
    tables.append(ROWS, pa.Table.from_pylist(rows, schema=SCHEMA))
    query = "select cast(max(day) as string) as day, max(_batch) as batch from gold.asked__rows"
    assert answer(query, tables.warehouse) == [("2024-02-29", 7)]
    assert answer(f"{query} where _batch > 7", tables.warehouse) == [(None, None)]


@pytest.mark.parametrize(
    "query",
    [
        "select max(price / share) from gold.asked__rows",
        "select max(date_add(day, 1)) from gold.asked__rows",
        "select count_if(name rlike 'a') from gold.asked__rows",
        "select count(*) from gold.asked__no_table",
        "select count(*) from held_in_memory",
        "select max(nothing) from gold.asked__rows",
        "select max(day from gold.asked__rows",
        "select count(*) from delta.`/somewhere`",
    ],
)
def test_what_takes_spark_is_not_answered(tables, query):
    """Arithmetic, functions, views, missing tables and columns, and text that is no query."""
    tables.append(ROWS, pa.Table.from_pylist([row(random.Random(0))], schema=SCHEMA))
    assert answer(query, tables.warehouse) is None
