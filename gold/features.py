"""Feature sets by name, and their point-in-time retrieval for a file of entities. No JVM."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from contracts.parsing.load import load_domain
from gold.publish import published
from lakehouse.errors import UsageError
from lakehouse.point_in_time import MICROSECONDS, FeatureSet, instants, join
from lakehouse.storage.atomic_file import atomic_file
from lakehouse.storage.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lakehouse.settings import Settings

TIMESTAMP = "timestamp"
SUFFIXES = (".parquet", ".csv")


def feature_sets(settings: Settings, domain: str) -> list[dict[str, Any]]:
    """Return one dictionary a feature set: its table, entity, timestamp, columns and version."""
    tables = Tables.at(settings)
    pins = published(tables, domain)
    listed = []
    for contract in load_domain(settings.contracts, domain).values():
        if contract.features:
            feature_set = FeatureSet.of(contract)
            age = feature_set.maximum_age
            listed.append(
                {
                    "name": feature_set.name,
                    "table": str(feature_set.table),
                    "entity": list(feature_set.entity),
                    "timestamp": feature_set.timestamp,
                    "columns": list(feature_set.columns),
                    "maximum_age_days": None if age is None else age.days,
                    "version": pins.get(feature_set.table, tables.version(feature_set.table)),
                    "contract_version": contract.version,
                    "description": contract.description,
                }
            )
    return listed


def pull(
    settings: Settings,
    domain: str,
    name: str,
    entities: Path,
    *,
    as_of: datetime | str | None = None,
    out: Path,
) -> dict[str, Any]:
    """Write the entities with their features as they were known at each one's instant.

    `entities` is a Parquet or CSV file with the entity's columns and a column `timestamp`, ISO
    8601 in text and UTC where it has no offset; with `as_of` all share one instant and the file
    has no such column. `name` is one feature set or several with commas. The rows of `out` are
    those of `entities`, in order, each with the features and, as `<set>__<timestamp>`, the
    instant from which they were valid; a column that two sets or the file have too is `<set>__<column>`.

    Raises:
        UsageError: no such feature set, or a file that cannot be used, named with its column.
    """
    for path in (entities, out):
        if path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"{path}: a file ends in {' or '.join(SUFFIXES)}")
    sets = _chosen(settings, domain, name)
    rows = _typed(entities, _read(entities, sets), sets, Tables.at(settings))
    at = _instants(entities, rows, as_of)
    tables = Tables.at(settings)
    pins = published(tables, domain)
    joined = {
        feature_set: join(tables, feature_set, rows, at, version=pins.get(feature_set.table))
        for feature_set in sets
    }
    result = rows if as_of is None else rows.append_column(TIMESTAMP, at)
    for feature_set, part in joined.items():
        for column, values in zip(part.rows.column_names, part.rows.columns, strict=True):
            result = result.append_column(_unique_name(feature_set, column, rows, sets), values)
    _write(result, out)
    return {
        "name": name,
        "rows": result.num_rows,
        "matched": {feature_set.name: part.matched for feature_set, part in joined.items()},
        "missing": {
            feature_set.name: result.num_rows - part.matched for feature_set, part in joined.items()
        },
        "versions": {str(feature_set.table): part.version for feature_set, part in joined.items()},
        "columns": result.column_names,
        "out": str(out),
    }


def _chosen(settings: Settings, domain: str, name: str) -> list[FeatureSet]:
    contracts = load_domain(settings.contracts, domain).values()
    declared = {c.dataset: FeatureSet.of(c) for c in contracts if c.features}
    requested = list(dict.fromkeys(part.strip() for part in name.split(",")))
    for dataset in requested:
        if dataset not in declared:
            listed = ", ".join(sorted(declared)) or "none"
            raise UsageError(
                f"domain '{domain}' has no feature set '{dataset}'; there is: {listed}"
            )
    return [declared[dataset] for dataset in requested]


def _read(path: Path, sets: list[FeatureSet]) -> pa.Table:
    """Return the file's rows; in CSV the keys and the timestamp stay text, so nothing is guessed."""
    needed = dict.fromkeys(column for chosen in sets for column in chosen.entity)
    try:
        if path.suffix.lower() == ".parquet":
            rows = pq.read_table(path)
        else:
            text = dict.fromkeys((*needed, TIMESTAMP), pa.string())
            options = pa.csv.ConvertOptions(column_types=text, strings_can_be_null=True)
            rows = pa.csv.read_csv(path, convert_options=options)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{path}: not readable as {path.suffix[1:]}: {error}") from None
    for column in needed:
        if column not in rows.column_names:
            listed = ", ".join(rows.column_names)
            raise UsageError(f"{path}: column '{column}' is missing; the file has {listed}")
    return rows


def _typed(path: Path, rows: pa.Table, sets: list[FeatureSet], tables: Tables) -> pa.Table:
    """Return the rows with the keys in the feature tables' types."""
    for feature_set in sets:
        table = tables.open(feature_set.table)
        if table is None:
            raise UsageError(f"{feature_set.table} does not exist yet: run the gold layer first")
        schema = pa.schema(table.schema().to_arrow())
        for column in feature_set.entity:
            place, kind = rows.column_names.index(column), schema.field(column).type
            try:
                values = _key(rows[column], kind)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                reason = str(error).splitlines()[0]
                raise UsageError(
                    f"{path}: column '{column}' is {rows[column].type}, not {kind}: {reason}"
                ) from None
            rows = rows.set_column(place, column, values)
    return rows


def _key(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    # Arrow would read true as 1 and cast a float or a time to a whole number.
    exact = pa.types.is_integer(kind) and not (
        pa.types.is_integer(values.type) or pa.types.is_string(values.type)
        or pa.types.is_large_string(values.type) or pa.types.is_null(values.type)
    )  # fmt: skip
    if exact and not pa.types.is_floating(values.type):
        raise pa.ArrowInvalid("no whole number")
    return values.cast(kind, safe=True)


def _instants(path: Path, rows: pa.Table, as_of: datetime | str | None) -> pa.ChunkedArray:
    has_column = TIMESTAMP in rows.column_names
    if as_of is None and not has_column:
        raise UsageError(f"{path}: column '{TIMESTAMP}' is missing; add it, or ask for one instant")
    if as_of is not None and has_column:
        raise UsageError(f"{path}: column '{TIMESTAMP}' and one instant for all: leave one out")
    if as_of is not None:
        return pa.chunked_array([pa.array([_one_instant(as_of)] * rows.num_rows, MICROSECONDS)])
    try:
        times = instants(rows[TIMESTAMP])
    except ValueError as error:
        raise UsageError(f"{path}: column '{TIMESTAMP}' has no ISO 8601 time: {error}") from None
    if times.null_count:
        first = times.is_null().index(pa.scalar(True)).as_py() + 1
        raise UsageError(
            f"{path}: column '{TIMESTAMP}' is empty in {times.null_count} rows, first in row {first}"
        )
    return times


def _one_instant(given: datetime | str) -> datetime:
    try:
        instant = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        raise UsageError(f"'{given}' is no ISO 8601 instant") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _unique_name(
    feature_set: FeatureSet, column: str, rows: pa.Table, sets: Iterable[FeatureSet]
) -> str:
    taken = column in rows.column_names or column == TIMESTAMP
    shared = sum(column in other.columns for other in sets) > 1
    return (
        f"{feature_set.name}__{column}"
        if taken or shared or column == feature_set.timestamp
        else column
    )


def _write(rows: pa.Table, out: Path) -> None:
    with atomic_file(out) as partial:
        if out.suffix.lower() == ".parquet":
            pq.write_table(rows, partial)
        else:
            pa.csv.write_csv(_as_text(rows), partial)


def _as_text(rows: pa.Table) -> pa.Table:
    """Return the rows with binary columns as hexadecimal digits: CSV has text alone."""
    for place, field in enumerate(rows.schema):
        kind = field.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view():
            digits = [None if value is None else value.hex() for value in rows[place].to_pylist()]
            rows = rows.set_column(place, field.name, pa.array(digits, pa.string()))
    return rows
