"""Rejected rows as rows of the quarantine table (`lakehouse/quality/quarantine_rows.py`)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from contracts.compilers.engine_columns import FAILURES as FAILURE
from lakehouse.quality.quarantine_rows import FAILURES, OPEN, REPLAYED, RESOLUTION, ROW_ID, sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from contracts.model.contract import Contract
    from lakehouse.quality.sealing import Seal
    from silver.batch import Batch

UPDATED = ("status", "failures", "contract_version", *RESOLUTION)


def as_rows(batch: Batch, rejected: pa.Table) -> pa.Table:
    """Return rejected rows, as the gate gives them, as rows of the quarantine table."""
    count = rejected.num_rows
    texts = {"contract_version": batch.contract.version, "status": OPEN}
    columns = {
        "row": rejected["_row"],
        "failures": rejected["_failures"].cast(FAILURES),
        **{name: _constant(text, pa.string(), count) for name, text in texts.items()},
        **{n: rejected[n] for n in ("_op", "_sequence", "_source_ts", "_source", "_origin")},
        "_batch": _constant(batch.run.number, pa.int64(), count),
        "quarantined_at": _constant(datetime.now(UTC), RESOLUTION["settled_at"], count),
        ROW_ID: rejected[ROW_ID],
        "_bronze_batch": rejected["_batch"],
        **{name: pa.nulls(count, kind) for name, kind in RESOLUTION.items()},
    }
    return sealed(pa.table(columns), batch.contract, batch.seal)


def as_frame(batch: Batch, rejected: DataFrame) -> DataFrame:
    """Return rejected rows as rows of the quarantine table, as a frame: `as_rows` of many rows."""
    rows = rejected.select(
        F.col("_row").alias("row"),
        F.col("_failures").cast(FAILURE).alias("failures"),
        F.lit(batch.contract.version).alias("contract_version"),
        F.lit(OPEN).alias("status"),
        *["_op", "_sequence", "_source_ts", "_source", "_origin"],
        F.lit(batch.run.number).cast("bigint").alias("_batch"),
        F.lit(datetime.now(UTC)).cast("timestamp").alias("quarantined_at"),
        ROW_ID,
        F.col("_batch").alias("_bronze_batch"),
        F.lit(None).cast("bigint").alias("settled_batch"),
        F.lit(None).cast("timestamp").alias("settled_at"),
    )
    if not batch.contract.personal:
        return rows
    seals = partial(_sealed_batches, contract=batch.contract, seal=batch.seal)
    return rows.mapInArrow(seals, rows.schema)


def _sealed_batches(
    batches: Iterator[pa.RecordBatch], contract: Contract, seal: Seal | None
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        schema = batch.schema
        yield from sealed(pa.Table.from_batches([batch]), contract, seal).cast(schema).to_batches()


def record_outcomes(batch: Batch, resolved: pa.Table, changed: pa.Table) -> None:
    """Update the quarantine in one commit: resolved rows are replayed, changed ones stay open."""
    name, version = batch.quarantine, batch.contract.version
    now, number = datetime.now(UTC), batch.run.number
    done = {"status": REPLAYED, "failures": None, "settled_batch": number, "settled_at": now}
    still_open = {"status": OPEN, "settled_batch": None, "settled_at": None}
    updates = [
        {ROW_ID: row[ROW_ID], "_bronze_batch": row["_bronze_batch"], "contract_version": version}
        | {"failures": row["failures"]}
        | status
        for rows, status in ((resolved, done), (changed, still_open))
        for row in rows.to_pylist()
    ]
    kinds = [(ROW_ID, pa.string()), ("_bronze_batch", pa.int64()), ("status", pa.string()),
             ("failures", FAILURES), ("contract_version", pa.string()), *RESOLUTION.items()]  # fmt: skip
    updated = pa.Table.from_pylist(updates, schema=pa.schema(kinds))
    identities = updated[ROW_ID]
    # the identities are those of the quarantine already
    updated = sealed(updated, batch.contract, batch.seal).set_column(0, ROW_ID, identities)
    table = batch.tables.open(name)
    assert table is not None
    (
        table.merge(
            _one_an_identity(updated),
            f"stored.{ROW_ID} = new.{ROW_ID} and stored._bronze_batch = new._bronze_batch "
            f"and stored.status = '{OPEN}'",
            source_alias="new",
            target_alias="stored",
            streamed_exec=False,
        )
        .when_matched_update(
            {
                **{column: f"new.{column}" for column in UPDATED if column != "failures"},
                # why it was rejected stays to be read
                "failures": f"case when new.status = '{OPEN}' then new.failures "
                "else stored.failures end",
            }
        )
        .execute()
    )


def _one_an_identity(rows: pa.Table) -> pa.Table:
    """Return one row an identity: equal rows of the quarantine are updated together."""
    places: dict[Any, int] = {}
    pairs = zip(rows[ROW_ID].to_pylist(), rows["_bronze_batch"].to_pylist(), strict=True)
    for place, identity in enumerate(pairs):
        places.setdefault(identity, place)
    return rows.take(pa.array(list(places.values()), pa.int64()))


def _constant(value: Any, kind: pa.DataType, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), length)
