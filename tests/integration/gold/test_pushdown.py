"""Push-down of queries to DuckDB: the rows are Spark's, or none."""

import datetime as dt
import math
import random
from decimal import Decimal

import pyarrow as pa
import pytest

from gold.dbt import pushdown
from gold.dbt.pushdown import push_down
from lakehouse.storage.tables import TableName, Tables

ROWS, PARENTS = TableName("gold", "toy__rows"), TableName("gold", "toy__parents")
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
        from gold.toy__rows as audited
        left join (select distinct key as _member from gold.toy__parents) as parent
            on audited.key = parent._member
        where audited._batch > {since}
        group by audited.key, audited.day
    ) as by_key
"""


TOUCHED = (
    """
    select distinct key
    from (
        select events.* from gold.toy__rows as events
        left semi join (select name from gold.toy__rows where _batch > 2) as newer
            on events.name = newer.name
        where events._batch between cast('1' as bigint) and cast('3' as bigint)
    )
    where key <> unhex(repeat('00', 1))
    union
    select key from gold.toy__parents
    """,
    """
    select key, min(from_day) as from_day, 91 as counts_for
    from (
        select key, date_add(least(cast('2024-01-03' as date), cast('2024-01-02' as date)), 1) as from_day
        from gold.toy__rows
        where day >= cast('2024-01-02' as date) and date_trunc('week', day) = trunc(cast('2024-01-04' as date), 'week')
        union all
        select key, day as from_day from gold.toy__rows where _batch > 1
    )
    group by key
    """,
    """
    with changed as (select name, min(_batch) as _batch from gold.toy__rows group by name),

    spans as (
        select
            events.name,
            min(case when events._batch > changed._batch then events.since end) as known_from,
            max(case when events._batch = changed._batch then events.until end) as changed_from
        from gold.toy__rows as events
        inner join changed on events.name <=> changed.name
        group by events.name
    )

    select
        name,
        case when known_from < changed_from then changed_from else timestamp '1900-01-01' end as changed_from,
        greatest(known_from, changed_from) as later,
        cast(null as decimal(14, 2)) as nothing
    from spans
    """,
    """
    select distinct cast(date_trunc('week', lines.day) as date) as week_start, parents.key, true as _deleted
    from gold.toy__rows as lines
    inner join toy__cached as cached
        on lines.name = cached.name
        and lines.since >= cached.since
        and lines.day <= date_add(cached.day, 2)
    left anti join (select * from toy__cached where share = 1.5) as other on lines.key = other.key
    left join gold.toy__parents as parents on lines.key = parents.key
    where lines.since >= cast('2024-01-01 00:00:00' as timestamp)
    """,
)


def pushed_down(query, tables):
    rows = push_down(query, tables.warehouse)
    return None if rows is None else [tuple(row.values()) for row in rows.to_pylist()]


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
    chosen = Tables.at(settings)
    chosen.append(PARENTS, pa.table({"key": pa.array([b"a", b"b", None])}))
    return chosen


@pytest.mark.parametrize("seed", range(5))
def test_the_rows_are_sparks(catalog, tables, seed):
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
    on_spark = query
    for name in (ROWS, PARENTS):
        on_spark = on_spark.replace(str(name), f"delta.`{tables.path(name)}`")
    wanted = catalog.sql(on_spark).collect()
    assert pushed_down(query, tables) == [tuple(wanted[0])]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("query", TOUCHED)
def test_what_a_batch_touched_is_what_spark_finds(catalog, tables, query, seed):
    """Sets of keys and days, by joins, unions and the days before or after, with nulls."""
    chosen = random.Random(seed)
    for _ in range(3):
        rows = [row(chosen) for _ in range(chosen.randint(1, 30))]
        tables.append(ROWS, pa.Table.from_pylist(rows, schema=SCHEMA))
    cached = pa.Table.from_pylist([row(chosen) for _ in range(4)], schema=SCHEMA)
    catalog.createDataFrame(cached).createOrReplaceTempView("toy__cached")
    on_spark = query
    for name in (ROWS, PARENTS):
        on_spark = on_spark.replace(str(name), f"delta.`{tables.path(name)}`")
    wanted = catalog.sql(on_spark).toArrow()
    rows = push_down(query, tables.warehouse, {"toy__cached": cached})
    assert rows is not None
    rows = rows.rename_columns(wanted.schema.names).cast(wanted.schema)
    assert sorted(map(str, rows.to_pylist())) == sorted(map(str, wanted.to_pylist()))


def test_bounds_are_read_as_text(tables):
    """The last day and the greatest batch, and nulls where there is no row."""
    day = dt.date(2024, 2, 29)
    rows = [row(random.Random(0)) | {"day": day, "_batch": 7}]
    tables.append(ROWS, pa.Table.from_pylist(rows, schema=SCHEMA))
    query = "select cast(max(day) as string) as day, max(_batch) as batch from gold.toy__rows"
    assert pushed_down(query, tables) == [("2024-02-29", 7)]
    assert pushed_down(f"{query} where _batch > 7", tables) == [(None, None)]


def test_what_takes_more_memory_is_not_pushed_down(tables, tmp_path, monkeypatch):
    """Spark runs it then; nothing is left behind where the process runs."""
    rows = pa.Table.from_pylist([row(random.Random(0))], schema=SCHEMA)
    tables.append(ROWS, pa.concat_tables([rows] * 200_000))
    monkeypatch.chdir(tmp_path)
    query = (
        "select l.day, r.until from gold.toy__rows as l join gold.toy__rows as r on l.day = r.day"
    )
    monkeypatch.setattr(pushdown, "MEMORY", "1MB")
    assert push_down(query, tables.warehouse) is None
    assert not (tmp_path / ".tmp").exists()


@pytest.mark.parametrize(
    "query",
    [
        "select max(price / share) from gold.toy__rows",
        "select max(cast(price as int)) from gold.toy__rows",
        "select cast(share as string) from gold.toy__rows",
        "select max(date_trunc('hour', from_utc_timestamp(since, 'Asia/Tokyo'))) from gold.toy__rows",
        "select name from gold.toy__rows order by name limit 1",
        "select row_number() over (order by day) as n from gold.toy__rows",
        "select explode(array(1, 2)) as n from gold.toy__rows",
        "select count(*) from gold.toy__rows where name like 'a%'",
        "select name || 'a' as n from gold.toy__rows",
        "select * from gold.toy__rows join gold.toy__rows as other using (name)",
        "select * from gold.toy__rows natural join gold.toy__parents",
        "select trunc(day, 'day') from gold.toy__rows",
        "select count(*) from gold.toy__rows version as of 0",
        "select max_by(name, price) from gold.toy__rows",
        "select count_if(name rlike 'a') from gold.toy__rows",
        "select count(*) from gold.toy__no_table",
        "select count(*) from not_cached",
        "select max(nothing) from gold.toy__rows",
        "select max(day from gold.toy__rows",
        "select count(*) from delta.`/somewhere`",
    ],
)
def test_what_takes_spark_is_not_pushed_down(tables, query):
    """Arithmetic, functions, views, missing tables and columns, and text that is no query."""
    tables.append(ROWS, pa.Table.from_pylist([row(random.Random(0))], schema=SCHEMA))
    assert push_down(query, tables.warehouse) is None
