"""Point-in-time joins: for each entity and instant, the newest feature row that was usable then.

Delta files are read by delta-rs into Arrow, only for the requested keys and days; DuckDB
joins them. No JVM.
"""

# pyarrow ships no types
# pyright: reportAttributeAccessIssue=false, reportMissingTypeStubs=false
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.engine import duckdb
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from contracts.model.contract import Contract
    from lakehouse.storage.tables import Tables

MICROSECONDS = pa.timestamp("us", tz="UTC")
# Two rows of one key and instant: the one loaded last wins, then the greater by the source's order.
TIE_BREAKERS = ("_batch", "_sequence")
# Up to so many different values of a key are listed in the filter, above that their range is.
FEW_KEYS = 2_000
# The reading engine parses an instant as nanoseconds, which end here.
_FIRST, _LAST = datetime(1678, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class FeatureSet:
    """One feature set as its contract declares it.

    A row holds from `timestamp` on, for `maximum_age` at most; `columns` are the features.
    """

    name: str
    table: TableName
    entity: tuple[str, ...]
    timestamp: str
    columns: tuple[str, ...]
    maximum_age: timedelta | None = None

    @classmethod
    def of(cls, contract: Contract) -> Self:
        """Return the feature set of a contract that declares one."""
        declared = contract.features
        entity, timestamp = tuple(declared["entity"]), declared["timestamp"]
        days = declared["maximumAgeDays"]
        columns = [name for name in contract.names if name not in (*entity, timestamp)]
        return cls(
            name=contract.dataset,
            table=TableName.of("gold", contract.domain, declared["table"]),
            entity=entity,
            timestamp=timestamp,
            columns=tuple(name for name in columns if not name.startswith("_")),
            maximum_age=None if days is None else timedelta(days=days),
        )


@dataclass(frozen=True)
class Joined:
    """The entity rows in their own order with the features of one set beside them.

    `rows` has the feature columns and the set's timestamp, null where nothing was usable.
    """

    rows: pa.Table
    matched: int
    version: int


def join(
    tables: Tables,
    feature_set: FeatureSet,
    entities: pa.Table,
    at: pa.ChunkedArray,
    *,
    version: int | None = None,
) -> Joined:
    """Return the newest usable feature row of each entity row; none is lost, doubled or moved.

    `entities` has the set's entity columns, `at` one instant a row (UTC, no nulls). A feature row
    is usable from its own instant on, that instant included.

    Raises:
        UsageError: the feature table does not exist yet.
        LakehouseError: it lacks a column that the contract declares.
    """
    table = tables.open(feature_set.table, version)
    if table is None:
        raise UsageError(f"{feature_set.table} does not exist yet: run the gold layer first")
    schema = pa.schema(table.schema().to_arrow())
    wanted = (*feature_set.entity, feature_set.timestamp, *feature_set.columns)
    missing = [name for name in wanted if name not in schema.names]
    if missing:
        raise LakehouseError(f"{feature_set.table} lacks {missing}, which its contract declares")
    ties = [name for name in TIE_BREAKERS if name in schema.names and name not in wanted]
    keys = _keys(feature_set, entities, schema)
    # The engine of delta-rs: unlike Arrow's dataset it reads deletion vectors and needs no pandas.
    features = pa.table(table.scan([*wanted, *ties], file_filter(feature_set, keys, at)))
    rows = as_of(feature_set, keys, at, features, ties)
    matched = rows.num_rows - rows[feature_set.timestamp].null_count
    return Joined(rows, matched, table.version())


def _keys(feature_set: FeatureSet, entities: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the entity columns in the types of the feature table."""
    columns = [entities[name].cast(schema.field(name).type) for name in feature_set.entity]
    return pa.table(columns, names=list(feature_set.entity))


def file_filter(feature_set: FeatureSet, keys: pa.Table, at: pa.ChunkedArray) -> str:
    """Return the SQL condition that keeps the rows an entity may need, so that other files are skipped."""
    bounds = pc.min_max(at).as_py()
    if bounds["max"] is None:
        return "false"
    stamp, conditions = _quoted(feature_set.timestamp), ["true"]
    if bounds["max"] < _LAST:
        conditions.append(f"{stamp} <= {_literal(max(bounds['max'], _FIRST))}")
    if feature_set.maximum_age is not None and bounds["min"] - _FIRST > feature_set.maximum_age:
        conditions.append(
            f"{stamp} >= {_literal(min(bounds['min'], _LAST) - feature_set.maximum_age)}"
        )
    for name in feature_set.entity:
        values = pc.unique(keys[name].drop_null())
        if len(values) == 0:
            return "false"
        if len(values) <= FEW_KEYS:
            listed = ", ".join(_literal(value) for value in values.to_pylist())
            conditions.append(f"{_quoted(name)} in ({listed})")
        else:
            bounds = pc.min_max(values).as_py()
            conditions.append(
                f"{_quoted(name)} between {_literal(bounds['min'])} and {_literal(bounds['max'])}"
            )
    return " and ".join(conditions)


def _literal(value: Any) -> str:
    """Return a value as a SQL literal of DataFusion, which casts text to the column's type."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text if isinstance(value, int | float) else "'" + text.replace("'", "''") + "'"


def as_of(
    feature_set: FeatureSet,
    keys: pa.Table,
    at: pa.ChunkedArray,
    features: pa.Table,
    ties: list[str],
) -> pa.Table:
    """Return the newest usable feature row of each entity row, in entity order.

    `features` has the set's columns and those of `ties`, by which one of several rows of a key and
    instant is chosen. Instants are compared as whole microseconds.
    """
    with duckdb.connection() as connection:
        connection.register(
            "entities",
            keys.append_column("_at", _microseconds(at)).append_column(
                "_row", pa.array(range(keys.num_rows), pa.int64())
            ),
        )
        usable_from = _microseconds(features[feature_set.timestamp])
        connection.register("features", features.append_column("_usable_from", usable_from))
        joined = connection.sql(as_of_query(feature_set, ties)).to_arrow_table()
    # DuckDB has its own ideas of a timestamp's zone and of a decimal's width.
    kinds = [features.schema.field(name) for name in (feature_set.timestamp, *feature_set.columns)]
    return joined.cast(pa.schema([pa.field(kind.name, kind.type) for kind in kinds]))


def as_of_query(feature_set: FeatureSet, ties: list[str]) -> str:
    """Return DuckDB's SQL of the join of `entities` (keys, _at, _row) and `features`.

    `_at` and `_usable_from` are microseconds.
    """
    names = [_quoted(name) for name in feature_set.entity]
    stamp = _quoted(feature_set.timestamp)
    same = " and ".join(f"e.{name} = f.{name}" for name in names)
    # An as-of join takes any of several rows of one key and instant, so one is chosen before;
    # the features themselves come last in the order, or equal loads would leave it to chance.
    order = ", ".join(
        f"{_quoted(name)} desc nulls last" for name in (*ties, *sorted(feature_set.columns))
    )
    age = feature_set.maximum_age
    limit = 2**62 if age is None else int(age / timedelta(microseconds=1))
    usable = f"f._usable_from is not null and e._at - f._usable_from <= {limit}"
    chosen = ", ".join(
        f"case when {usable} then f.{_quoted(name)} end as {_quoted(name)}"
        for name in (feature_set.timestamp, *feature_set.columns)
    )
    return f"""
        with chosen as (
            select * from features
            qualify row_number() over (
                partition by {", ".join(names)}, {stamp} order by {order or stamp}
            ) = 1
        )
        select {chosen}
        from entities as e
        asof left join chosen as f on {same} and e._at >= f._usable_from
        order by e._row
    """


def _microseconds(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    return instants.cast(pa.timestamp("us", tz=instants.type.tz)).cast(pa.int64())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def instants(values: Any) -> pa.ChunkedArray:
    """Return times as UTC microseconds: text is ISO 8601, what has no offset is UTC.

    Finer digits are cut, so that an instant never moves into the future.
    """
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        parsed = [_instant(text) for text in values.to_pylist()]
        return pa.chunked_array([pa.array(parsed, MICROSECONDS)])
    if pa.types.is_date(values.type):
        return values.cast(pa.timestamp("us")).cast(MICROSECONDS)
    if not pa.types.is_timestamp(values.type):
        raise pa.ArrowInvalid(f"{values.type} is no time")
    if values.type.unit == "ns":
        values = pc.floor_temporal(values, unit="microsecond")
    return values.cast(pa.timestamp("us", tz=values.type.tz)).cast(MICROSECONDS)


def _instant(text: str | None) -> datetime | None:
    if text is None or not text.strip():
        return None
    instant = datetime.fromisoformat(text.strip())
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
