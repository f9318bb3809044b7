"""The errors of a build that cannot be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.errors import ContractBreach, LakehouseError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import SparkSession

    from gold.dbt.results import Outcome

UNPUBLISHED = "gold was not published, readers keep the last good version"


def breach(rules: Iterable[Violation]) -> ContractBreach:
    """Return the breach of the rules that an audit found broken."""
    reasons = [f"{rule.table} failed its audit ({rule.message})" for rule in rules]
    return ContractBreach(f"{UNPUBLISHED}: {' | '.join(reasons)}", rules)


def failure(spark: SparkSession, domain: str, failed: list[Outcome]) -> LakehouseError:
    """Return the error that names each failed audit with its rows, or each failed model."""
    audits = [outcome for outcome in failed if outcome.kind == "test" and outcome.failures]
    lines, rules = [], []
    for audit in audits:
        broken = {row["rule"]: row["failures"] for row in spark.sql(audit.query).collect()}
        reasons = [f"{rule}: {rows} rows" for rule, rows in broken.items()]
        lines.append(f"{', '.join(audit.tested)} failed {audit.name} ({'; '.join(reasons)})")
        table = audit.tested[0] if audit.tested else audit.name
        rules += [
            Violation(
                table.removeprefix(f"{domain}__"), "gold", rule, f"{rule}: {rows:,} rows",
                count=int(rows), table=f"gold.{table}",
            )
            for rule, rows in broken.items()
        ]  # fmt: skip
    if lines:
        return ContractBreach(f"{UNPUBLISHED}: {' | '.join(lines)}", rules)
    lines = [f"{outcome.name}: {_shortened(outcome.message)}" for outcome in failed]
    return LakehouseError(f"gold could not be built: {' | '.join(lines)}")


def _shortened(message: str) -> str:
    """Return a database's message without the frames of its stack."""
    lines = [line.strip() for line in message.splitlines() if not line.startswith("  \tat ")]
    return " ".join(line for line in lines if line)[:1500]
