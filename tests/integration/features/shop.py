"""A small domain with two feature sets, its gold tables written by delta-rs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName, Tables

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: shop-{name}
version: 1.0.0
status: active
domain: shop
description: {{purpose: One row is one entity and instant.}}
schema:
  - name: {name}
    physicalName: gold.shop__{name}
    logicalType: object
    properties:
      - {{name: who, logicalType: integer, physicalType: bigint, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: known_at, logicalType: timestamp, physicalType: timestamp, required: true}}
      - {{name: value, logicalType: integer, physicalType: bigint}}
customProperties:
  - property: features
    value: {{table: {name}, entity: [who], timestamp: known_at{age}}}
"""
START = datetime(2020, 1, 1, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("who", pa.int64()),
        ("known_at", pa.timestamp("us", tz="UTC")),
        ("value", pa.int64()),
        ("_batch", pa.int64()),
        ("_sequence", pa.string()),
    ]
)


def at(minutes):
    """Return the instant so many minutes after the start."""
    return START + timedelta(minutes=minutes)


def write(settings, name, rows, mode="append"):
    """Write feature rows given as (who, minutes, value, batch, sequence)."""
    columns = list(zip(*[(w, at(m), v, b, s) for w, m, v, b, s in rows], strict=True)) or [[]] * 5
    arrays = [
        pa.array(list(values), kind) for values, kind in zip(columns, SCHEMA.types, strict=True)
    ]
    path = Tables.at(settings).path(TableName.of("gold", "shop", name))
    write_deltalake(path, pa.table(arrays, schema=SCHEMA), mode=mode)


def shop(home: Path) -> Settings:
    """Return the settings of a home with the domain's contracts and nothing else."""
    folder = home / "contracts" / "shop"
    folder.mkdir(parents=True)
    (folder / "habits.yaml").write_text(CONTRACT.format(name="habits", age=""))
    (folder / "moods.yaml").write_text(CONTRACT.format(name="moods", age=", maximumAgeDays: 1"))
    return Settings(home=home, contracts=home / "contracts")
