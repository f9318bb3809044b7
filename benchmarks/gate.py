"""What the contract gate adds to the Delta write that it guards."""

from __future__ import annotations

import shutil
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from contracts.compilers import hash_keys, vault_sql
from contracts.parsing.load import load_domain
from lakehouse.engine.session import spark
from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName, Tables
from silver.gate import GOOD, validated

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

DOMAIN, DATASET = "retail", "transactions"
ROUNDS = 9


def gated_write(home: Path) -> dict[str, Any]:
    """Return the median seconds of two writes of all bronze rows of a dataset, each with its gate.

    `load` is what the gate guards: the rows with their vault keys and the hash of their content, as
    they are stored in silver. `bare` copies the columns as they are, the least that a write can be.
    The gated one of each writes the same columns; it cleanses and validates each row by every rule
    of the contract and keeps the good ones. Writes alternate, so a slow moment hits all.
    """
    settings = Settings(home=home)
    session = spark(settings)
    contract = load_domain(settings.contracts, DOMAIN)[DATASET]
    rows = session.read.format("delta").load(
        Tables.at(settings).path(TableName.of("bronze", DOMAIN, DATASET))
    )
    copied = [*contract.names, "_op", "_sequence", "_batch"]
    computed = hash_keys.parent_key(contract) | hash_keys.hub_keys(contract)
    computed |= {"_hashdiff": hash_keys.hashdiff(contract), "_flags": "cast(null as array<string>)"}
    stored = vault_sql.events_columns(contract)
    good = validated(rows, contract).where(GOOD)
    loaded = rows.withColumns({label: F.expr(text) for label, text in computed.items()})
    writes = {
        "bare": rows.select(*copied),
        "bare_gated": good.select(*copied, "_flags"),
        "load": loaded.select(*stored),
        "load_gated": good.select(*stored),
    }
    for write in (*writes.values(), *writes.values()):
        _write(write, home)
    times: dict[str, list[float]] = {name: [] for name in writes}
    for _ in range(ROUNDS):
        for name, write in writes.items():
            times[name].append(_write(write, home))
    return {
        "rows": rows.count(),
        "rules": len(contract.rules) + len(contract.columns),
        "seconds": {name: round(median(values), 2) for name, values in times.items()},
        "added_percent": {
            name: _added(times[name], times[f"{name}_gated"]) for name in ("bare", "load")
        },
        "rounds": ROUNDS,
    }


def _added(without: list[float], gated: list[float]) -> float:
    ratios = [g / w for g, w in zip(gated, without, strict=True)]
    return round(100 * (median(ratios) - 1), 1)


def _write(rows: DataFrame, home: Path) -> float:
    target = home / "benchmark"
    start = time.monotonic()
    rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(str(target))
    seconds = time.monotonic() - start
    shutil.rmtree(target)
    return seconds
