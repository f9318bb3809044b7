"""What the contract gate adds to the Delta write that it guards."""

from __future__ import annotations

import shutil
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from contracts import gate
from contracts.load import load_domain
from lakehouse.session import spark
from lakehouse.settings import Settings
from lakehouse.tables import TableName, Tables

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

DOMAIN, DATASET = "retail", "transactions"
PAIRS = 7


def gated_write(home: Path) -> dict[str, Any]:
    """Return the median seconds of writing all bronze rows of a dataset, bare and through the gate.

    Both write the same columns; the gated write cleanses and judges each row, keeps the good ones
    and evaluates every rule of the contract. Runs alternate, so a slow moment hits both.
    """
    settings = Settings(home=home)
    session = spark(settings)
    contract = load_domain(settings.contracts, DOMAIN)[DATASET]
    rows = session.read.format("delta").load(
        Tables.at(settings).path(TableName.of("bronze", DOMAIN, DATASET))
    )
    bare = rows.selectExpr(*contract.names, "_op", "_sequence", "_batch")
    judged = rows.selectExpr(
        *[f"{gate.cleansed(column)} as {column.name}" for column in contract.columns],
        "_op", "_sequence", "_batch", "_rescued",
    ).withColumns(
        {name: _expression(text) for name, text in
         {"_good": gate.good(contract), "_flags": gate.flags(contract)}.items()}
    )  # fmt: skip
    gated = judged.where("_good").select(*bare.columns, "_flags")
    _write(bare, home), _write(gated, home)
    times: dict[str, list[float]] = {"bare": [], "gated": []}
    for _ in range(PAIRS):
        times["bare"].append(_write(bare, home))
        times["gated"].append(_write(gated, home))
    ratios = [g / b for g, b in zip(times["gated"], times["bare"], strict=True)]
    return {
        "rows": rows.count(),
        "rules": len(contract.rules) + len(contract.columns),
        "seconds": {name: round(median(values), 2) for name, values in times.items()},
        "added_percent": round(100 * (median(ratios) - 1), 1),
        "pairs": PAIRS,
    }


def _expression(text: str) -> Any:
    from pyspark.sql import functions as F

    return F.expr(text)


def _write(rows: DataFrame, home: Path) -> float:
    target = home / "benchmark"
    start = time.monotonic()
    rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(str(target))
    seconds = time.monotonic() - start
    shutil.rmtree(target)
    return seconds
