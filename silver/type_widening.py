"""Follows a contract whose types became wider: a table of silver is written again, once, as a whole.

Delta could widen a type in its log alone, but delta-rs does not write to a table with that feature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from contracts.types import short, widens
from lakehouse.storage.tables import TableName
from silver.vault import LOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from silver.batch import Batch


def follow(spark: SparkSession, batch: Batch) -> list[TableName]:
    """Give each table of a dataset the types of its contract; return those that were written.

    One commit a table: killed in between, the next load goes on. A type is never made narrower.
    """
    done = []
    for name, wanted in _tables(batch):
        with LOCKS[name]:
            table = batch.tables.open(name)
            stored = {} if table is None else _types(table.schema().fields)
            wider = {c: k for c, k in wanted.items() if widens(stored.get(c, ""), k)}
            if not wider:
                continue
            path = batch.tables.path(name)
            rows = spark.read.format("delta").load(path)
            casts = {column: F.col(column).cast(kind) for column, kind in wider.items()}
            writer = rows.withColumns(casts).write.format("delta").mode("overwrite")
            writer.option("overwriteSchema", "true").save(path)
            done.append(name)
    return done


def _tables(batch: Batch) -> Iterator[tuple[TableName, dict[str, str]]]:
    contract, domain = batch.contract, batch.run.domain
    assert contract.vault is not None
    kinds = {column.name: column.type for column in contract.columns}
    for hub in contract.vault.hubs:
        members = dict(zip(hub.members, (kinds[c] for c in hub.columns), strict=True))
        yield TableName.of("silver", domain, f"hub_{hub.name}"), members
    if contract.vault.link:
        yield TableName.of("silver", domain, f"lnk_{contract.vault.link}"), kinds
    yield batch.events, kinds


def _types(fields: list) -> dict[str, str]:
    return {f.name: short(t) for f in fields if isinstance(t := getattr(f.type, "type", ""), str)}
