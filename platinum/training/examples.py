"""The training examples of a score contract: read, joined point-in-time, put in order of time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.engine import duckdb
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.point_in_time import FeatureSet, instants, join
from lakehouse.storage.catalog import names_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contracts.model.contract import Contract
    from lakehouse.storage.tables import TableName, Tables


@dataclass(frozen=True)
class Examples:
    """Examples in order of time: one row of `features` (float32), `labels` and `times` each.

    `settled` is when the label became final. `unsettled` and `without_features` count the rows
    that were left out.
    """

    columns: tuple[str, ...]
    features: np.ndarray
    labels: np.ndarray
    times: np.ndarray
    settled: np.ndarray
    unsettled: int
    without_features: int
    versions: dict[str, int]
    feature_sets: dict[str, dict[str, Any]]

    def digest(self) -> str:
        """Return a hash of everything a model can learn from them."""
        found = hashlib.sha256("\0".join(self.columns).encode())
        for values in (self.features, self.labels, self.times, self.settled):
            found.update(np.ascontiguousarray(values).tobytes())
        return found.hexdigest()


def read(
    tables: Tables,
    contract: Contract,
    contracts: Mapping[str, Contract],
    pins: Mapping[TableName, int],
) -> Examples:
    """Return the settled examples with the features of their instants.

    A label is settled when the feature sets reach beyond the instant from which it is final:
    of what is still under way nobody knows yet how it ends.

    Raises:
        UsageError: a table does not exist yet, or no example is settled.
    """
    declared = contract.score["examples"]
    rows, versions = _query(tables, declared["query"], pins)
    keys = [declared["timestamp"], *declared["entity"]]
    _require_columns(contract, rows, [*keys, declared["label"], declared["finalFrom"]])
    rows = rows.sort_by([(name, "ascending") for name in keys])
    at = instants(rows[declared["timestamp"]])
    settled = instants(rows[declared["finalFrom"]])
    keep = pc.and_(pc.and_(at.is_valid(), settled.is_valid()), rows[declared["label"]].is_valid())
    joined: dict[str, pa.Table] = {}
    sets: dict[str, dict[str, Any]] = {}
    reach: dict[str, datetime] = {}
    for name, columns in contract.score["features"].items():
        one = replace(_feature_set(contracts, contract, name), columns=tuple(columns))
        part = join(tables, one, rows, at, version=pins.get(one.table))
        joined[name], versions[str(one.table)] = part.rows, part.version
        sets[name] = {"version": part.version, "columns": list(columns)}
        if name in declared["require"] or not declared["require"]:
            reach[name] = _newest(tables, one, part.version)
        if name in declared["require"]:
            keep = pc.and_(keep, part.rows[one.timestamp].is_valid())
    final = pc.less_equal(settled, pa.scalar(min(reach.values()), settled.type))
    chosen = pc.and_(keep, final)
    if not pc.any(chosen).as_py():
        raise UsageError(
            f"{contract.dataset}: no example of {rows.num_rows} has features and a final label"
        )
    return Examples(
        columns=tuple(name for names in contract.score["features"].values() for name in names),
        features=_matrix(contract, joined, chosen),
        labels=rows[declared["label"]].filter(chosen).cast(pa.int8()).to_numpy(),
        times=at.filter(chosen).cast(pa.int64()).to_numpy(),
        settled=settled.filter(chosen).cast(pa.int64()).to_numpy(),
        unsettled=pc.sum(pc.invert(final)).as_py() or 0,
        without_features=pc.sum(pc.and_(final, pc.invert(keep))).as_py() or 0,
        versions=versions,
        feature_sets=sets,
    )


def _feature_set(contracts: Mapping[str, Contract], contract: Contract, name: str) -> FeatureSet:
    if name not in contracts or not contracts[name].features:
        raise LakehouseError(f"{contract.file}: '{name}' is no feature set of the domain")
    return FeatureSet.of(contracts[name])


def _query(
    tables: Tables, query: str, pins: Mapping[TableName, int]
) -> tuple[pa.Table, dict[str, int]]:
    """Return the rows of the contract's query, and the version of each table it read."""
    versions: dict[str, int] = {}
    with duckdb.connection() as connection:
        for name in names_in(query):
            table = tables.open(name, pins.get(name))
            if table is None:
                raise UsageError(f"{name} does not exist yet: run the layers before it first")
            versions[str(name)] = table.version()
            view = f"_{name.layer}_{name.table}"
            connection.register(view, pa.table(table.scan()))
            connection.execute(f'create schema if not exists "{name.layer}"')
            connection.execute(
                f'create view "{name.layer}"."{name.table}" as select * from "{view}"'
            )
        return connection.sql(query).to_arrow_table(), versions


def _require_columns(contract: Contract, rows: pa.Table, wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in rows.column_names]
    if missing:
        raise LakehouseError(f"{contract.file}: the query of examples yields no {missing}")


def _newest(tables: Tables, one: FeatureSet, version: int) -> datetime:
    """Return the newest instant of a feature set."""
    table = tables.open(one.table, version)
    assert table is not None
    stamps = pa.table(table.scan([one.timestamp]))[one.timestamp]
    return pc.max(instants(stamps)).as_py()


def _matrix(
    contract: Contract, joined: Mapping[str, pa.Table], chosen: pa.ChunkedArray
) -> np.ndarray:
    """Return the features as float32, which is what the exported model computes with; null is NaN."""
    columns = []
    for name, names in contract.score["features"].items():
        for column in names:
            values = joined[name][column].filter(chosen)
            if not _is_number(values.type):
                raise LakehouseError(
                    f"{contract.file}: feature '{column}' is {values.type}, no number"
                )
            columns.append(values.cast(pa.float64()).to_numpy().astype(np.float32))
    return np.column_stack(columns)


def _is_number(kind: pa.DataType) -> bool:
    return any(
        test(kind)
        for test in (
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_decimal,
            pa.types.is_boolean,
        )
    )
