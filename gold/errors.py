"""What a person is told where gold cannot be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.errors import ContractBreach, LakehouseError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import SparkSession

    from gold.dbt.results import Outcome

UNPUBLISHED = "gold was not published, readers keep the last good version"


def breach(found: Iterable[Violation]) -> ContractBreach:
    """Return the breach of promises that an audit found broken."""
    whys = [f"{each.table} failed its audit ({each.message})" for each in found]
    return ContractBreach(f"{UNPUBLISHED}: {' | '.join(whys)}", found)


def told(spark: SparkSession, domain: str, failed: list[Outcome]) -> LakehouseError:
    """Return the error that names each failed audit with its rows, or each failed model."""
    audits = [outcome for outcome in failed if outcome.kind == "test" and outcome.failures]
    lines, found = [], []
    for audit in audits:
        broken = {row["rule"]: row["failures"] for row in spark.sql(audit.query).collect()}
        whys = [f"{rule}: {rows} rows" for rule, rows in broken.items()]
        lines.append(f"{', '.join(audit.tested)} failed {audit.name} ({'; '.join(whys)})")
        table = audit.tested[0] if audit.tested else audit.name
        found += [
            Violation(
                table.removeprefix(f"{domain}__"), "gold", rule, f"{rule}: {rows:,} rows",
                count=int(rows), table=f"gold.{table}",
            )
            for rule, rows in broken.items()
        ]  # fmt: skip
    if lines:
        return ContractBreach(f"{UNPUBLISHED}: {' | '.join(lines)}", found)
    lines = [f"{outcome.name}: {_shortened(outcome.message)}" for outcome in failed]
    return LakehouseError(f"gold could not be built: {' | '.join(lines)}")


def _shortened(message: str) -> str:
    """Return what a database said, less the frames of its stack."""
    lines = [line.strip() for line in message.splitlines() if not line.startswith("  \tat ")]
    return " ".join(line for line in lines if line)[:1500]
