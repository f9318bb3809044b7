"""The training examples of a score contract: labelled rows joined with features as of their time."""

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

    `final_from` is when the label became final. `not_final` and `without_features` count the rows
    that were left out.
    """

    columns: tuple[str, ...]
    features: np.ndarray
    labels: np.ndarray
    times: np.ndarray
    final_from: np.ndarray
    not_final: int
    without_features: int
    versions: dict[str, int]
    feature_sets: dict[str, dict[str, Any]]

    def digest(self) -> str:
        """Return a hash of everything a model can learn from them."""
        digest = hashlib.sha256("\0".join(self.columns).encode())
        for values in (self.features, self.labels, self.times, self.final_from):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


def read(
    tables: Tables,
    contract: Contract,
    contracts: Mapping[str, Contract],
    pins: Mapping[TableName, int],
) -> Examples:
    """Return the examples with final labels, joined with the features as of their instants.

    A label counts as final when the feature sets reach past the instant from which it is final: of
    an offer that is still open nobody knows yet whether it will be taken.

    Raises:
        UsageError: a table does not exist yet, or no example has a final label.
    """
    declared = contract.score["examples"]
    rows, versions = _query(tables, declared["query"], pins)
    keys = [declared["timestamp"], *declared["entity"]]
    _require_columns(contract, rows, [*keys, declared["label"], declared["finalFrom"]])
    rows = rows.sort_by([(name, "ascending") for name in keys])
    at = instants(rows[declared["timestamp"]])
    final_from = instants(rows[declared["finalFrom"]])
    usable = pc.and_(
        pc.and_(at.is_valid(), final_from.is_valid()), rows[declared["label"]].is_valid()
    )
    joined: dict[str, pa.Table] = {}
    sets: dict[str, dict[str, Any]] = {}
    reach: dict[str, datetime] = {}
    for name, columns in contract.score["features"].items():
        features = replace(_feature_set(contracts, contract, name), columns=tuple(columns))
        part = join(tables, features, rows, at, version=pins.get(features.table))
        joined[name], versions[str(features.table)] = part.rows, part.version
        sets[name] = {"version": part.version, "columns": list(columns)}
        if name in declared["require"] or not declared["require"]:
            reach[name] = _newest(tables, features, part.version)
        if name in declared["require"]:
            usable = pc.and_(usable, part.rows[features.timestamp].is_valid())
    is_final = pc.less_equal(final_from, pa.scalar(min(reach.values()), final_from.type))
    chosen = pc.and_(usable, is_final)
    if not pc.any(chosen).as_py():
        raise UsageError(
            f"{contract.dataset}: no example of {rows.num_rows} has features and a final label"
        )
    return Examples(
        columns=tuple(name for names in contract.score["features"].values() for name in names),
        features=_matrix(contract, joined, chosen),
        labels=rows[declared["label"]].filter(chosen).cast(pa.int8()).to_numpy(),
        times=at.filter(chosen).cast(pa.int64()).to_numpy(),
        final_from=final_from.filter(chosen).cast(pa.int64()).to_numpy(),
        not_final=pc.sum(pc.invert(is_final)).as_py() or 0,
        without_features=pc.sum(pc.and_(is_final, pc.invert(usable))).as_py() or 0,
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


def _newest(tables: Tables, features: FeatureSet, version: int) -> datetime:
    """Return the newest instant of a feature set."""
    table = tables.open(features.table, version)
    assert table is not None
    stamps = pa.table(table.scan([features.timestamp]))[features.timestamp]
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
