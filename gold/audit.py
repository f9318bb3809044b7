"""The audit between writing gold and publishing it: each changed table's suite and its dataset rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from contracts.compilers.expectation_suite import Suite, suite
from contracts.parsing.load import load_domain
from gold.expectations import Expectations, Unexpected
from lakehouse.engine.duckdb import connection
from lakehouse.errors import Violation
from lakehouse.quality.dataset_audit.audit import Audit, audit
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model.contract import Contract
    from gold.dbt.invocation import BuildState
    from gold.dbt.project import Project
    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings

# More changed rows than this stay in Spark. A row of some 20 columns is about a kilobyte in pandas.
ROWS = 300_000
NEWER = "_batch"


@dataclass
class Audited:
    """The outcome of a build's audit: rules that were broken, and measures to remember."""

    broken: list[Violation] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)

    @property
    def stops(self) -> list[Violation]:
        """Return what keeps the build from being published."""
        return [rule for rule in self.broken if rule.severity == "error"]


def audited(
    spark: SparkSession,
    settings: Settings,
    project: Project,
    run: Run,
    changed: Iterable[TableName],
    state: BuildState,
) -> Audited:
    """Audit the rows of changed tables that were not audited before, and build their pages.

    A table's suite comes from its model's YAML and from the contract of the feature set that it
    is; that contract's dataset rules are measured on the same rows.
    """
    contracts = _contracts(settings, run.domain)
    personal = {
        column.name
        for contract in contracts.values()
        for column in contract.columns
        if column.is_personal
    }
    sets = {
        TableName.of("gold", run.domain, contract.features["table"]): contract
        for contract in contracts.values()
        if contract.features
    }
    tables, outcome = Tables.at(settings), Audited()
    expected = Expectations(settings.home, personal)
    suites = suites_of(project, sets)
    for name in sorted(changed):
        contract, wanted = sets.get(name), suites.get(name, Suite(()))
        columns = [*wanted.columns, *_measured(contract)]
        rows = (
            _rows(spark, tables, name, list(dict.fromkeys(columns)), state.audited(name))
            if columns
            else None
        )
        if rows is None:
            continue
        if wanted.expectations:
            for failed in expected.validate(name.table, wanted, rows):
                outcome.broken.append(_broken(run.domain, name, failed))
        if contract is not None:
            kinds = {column.name: column.type for column in contract.columns}
            measured = audit(run, contract, name, rows, kinds=kinds)
            outcome.audits.append(measured)
            outcome.broken += measured.violations({})
    expected.publish_pages()
    return outcome


def suites_of(project: Project, sets: Mapping[TableName, Contract]) -> dict[TableName, Suite]:
    """Return the suite of each stored model of a domain."""
    audits: dict[str, dict[str, Any]] = project.audits()
    suites = {}
    for key, name in project.tables().items():
        given, contract = audits.get(key, {}), sets.get(name)
        suites[name] = suite(
            key=given.get("key") or (contract.keys if contract else ()),
            required=given.get("required", ()),
            accepted=given.get("accepted"),
            rules=contract.rules if contract else (),
            kinds={c.name: c.type for c in contract.columns} if contract else None,
        )
    return suites


def _contracts(settings: Settings, domain: str) -> dict[str, Contract]:
    """Return the contracts of a domain; one that only has models has none."""
    if not any((settings.contracts / domain).glob("*.yaml")):
        return {}
    return load_domain(settings.contracts, domain)


def _measured(contract: Contract | None) -> list[str]:
    return [] if contract is None else [c for r in contract.dataset_rules for c in r.columns]


def _rows(
    spark: SparkSession, tables: Tables, name: TableName, columns: list[str], since: int
) -> pa.Table | DataFrame | None:
    """Return the changed rows of a table: in memory where they are few; None for no row."""
    table = tables.open(name)
    if table is None:
        return None
    newer = f"{NEWER} > {since}" if since >= 0 else None
    if NEWER not in {field.name for field in table.schema().fields}:
        newer = None
    with connection() as database:
        database.register("changed", table.scan([NEWER] if newer else columns[:1], newer))
        counted = database.execute("select count(*) from changed").fetchone()
    count = counted[0] if counted else 0
    if count <= ROWS:
        return pa.table(table.scan(columns, newer)) if count else None
    reader = spark.read.format("delta").option("versionAsOf", table.version())
    rows = reader.load(tables.path(name))
    return (rows.where(newer) if newer else rows).select(*columns)


def _broken(domain: str, name: TableName, failed: Unexpected) -> Violation:
    values = ", ".join(str(value)[:60] for value in failed.values)
    count = "" if failed.count is None else f": {failed.count:,} rows"
    return Violation(
        name.table.removeprefix(f"{domain}__"), "gold",
        f"{' '.join(failed.columns)} {failed.rule}",
        f"{', '.join(failed.columns)}: {failed.rule}{count}",
        count=failed.count, table=str(name), severity=failed.severity,
        sample=(f"{', '.join(failed.columns)}: {values}",) if values else (),
    )  # fmt: skip
