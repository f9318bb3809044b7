"""Gold is written, audited, then published: readers never see a table that failed its audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gold import publish
from gold.audit import audited
from gold.changes import Changes
from gold.dbt.invocation import BuildState, register_views
from gold.dbt.project import Project
from gold.errors import breach, failure
from gold.expectations import Expectations
from lakehouse.engine.session import SMALL_WORKLOAD, configured
from lakehouse.runs.ledger import Run, Step
from lakehouse.storage.catalog import register
from lakehouse.storage.restore import ABSENT, restore
from lakehouse.storage.table_log import bytes_added, written_between
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import SparkSession

    from gold.dbt.results import Outcome, Progress
    from lakehouse.settings import Settings

# Derived rows are cached while they are merged, so that they are computed once; Delta need not
# write them down a second time. They come from pinned versions, so a lost block yields the same.
OPTIONS = {
    "spark.databricks.delta.merge.materializeSource": "none",
    "spark.databricks.delta.merge.failSourceCachedAfterMaterialization": "false",
}
FEW_BYTES, SMALL_BYTES = 32_000_000, 256_000_000


def pending(settings: Settings, domain: str) -> bool:
    """Return, without a JVM, whether a build may have anything to do.

    It may where a table of silver moved on since the last publication, or a file of the project
    changed.
    """
    project, tables = Project(settings, domain), Tables.at(settings)
    if not project.exists:
        return False
    last = publish.latest(tables, domain)
    now = _versions(tables, project.sources())
    if last is None:
        return any(version >= 0 for version in now.values())
    return project.fingerprint() != last.code or now != last.consumed


def workload(settings: Settings, domain: str) -> int:
    """Return, without a JVM, how many bytes of its sources a build has not read yet."""
    project, tables = Project(settings, domain), Tables.at(settings)
    if not project.exists:
        return 0
    last = publish.latest(tables, domain)
    changed = last is None or last.code != project.fingerprint()
    return _unread(tables, {} if changed or last is None else last.consumed, project.sources())


def build(
    spark: SparkSession,
    settings: Settings,
    domain: str,
    run: Run,
    *,
    progress: Progress | None = None,
    full_refresh: bool = False,
    rebuilt: Iterable[TableName] = (),
    blocked: Iterable[TableName] = (),
    project: Project | None = None,
) -> list[Step]:
    """Bring a domain's gold up to date and publish it; return one step a table.

    A table that does not exist in silver yet leaves out the models that need it. `progress` gets
    the name of each model and test as it ends, with how many are done of how many. A model that
    changed is rebuilt, and so is what reads it. What reads the tables in `rebuilt`, or is one of
    them, is rebuilt; then nothing else may be pending. What reads the silver tables in `blocked`
    stays as it is, and a later build reads what they have by then. `project` may have been parsed
    ahead.

    Raises:
        ContractBreach: an audit failed; every table is back at its published version.
        LakehouseError: a model could not be built; every table is back, too.
    """
    project, tables = project or Project(settings, domain), Tables.at(settings)
    if not project.exists:
        return []
    last = publish.latest(tables, domain)
    sources = project.sources()
    consumed = _versions(tables, sources)
    changes = Changes.of(
        project, last, consumed, full_refresh=full_refresh, rebuilt=rebuilt, blocked=blocked
    )
    if not changes:
        return []
    names = list(project.tables().values())
    published = {} if last is None else last.versions
    # A crash or a draft of dbt's own may have left other versions, of other SQL.
    _restore(tables, [n for n in names if n in published and n not in changes.rebuilt], published)
    before = _versions(tables, names)
    there = [name for name in before if before[name] >= 0]
    registered = register(spark, settings, [*sources, *there])
    if last is not None:
        read = project.views_read() - changes.rebuilt
        register_views(spark, {n: q for n, q in last.views.items() if n in read}, there)
    state = BuildState(
        since=changes.since,
        rebuilt=changes.rebuilt,
        audited_in_full=changes.audited,
    )
    few = (
        last is not None
        and not changes.rebuilt
        and _unread(tables, last.consumed, changes.moved) < FEW_BYTES
        and sum(bytes_added(tables, name, ABSENT) for name in (*sources, *before)) < SMALL_BYTES
    )
    Expectations.import_ahead()
    outcomes = []
    if selected := changes.selection:
        missing = [name for name in sources if name not in registered]
        with configured(spark, OPTIONS | (SMALL_WORKLOAD if few else {})):
            outcomes = project.build(
                selected,
                state=state,
                missing=[*missing, *changes.blocked_sources, *changes.blocked],
                progress=progress,
            )
    after = _versions(tables, before)
    if failed := [outcome for outcome in outcomes if outcome.failed]:
        error = failure(spark, domain, failed)
        _restore(tables, after, published)
        raise error
    due = [n for n in after if after[n] >= 0 and after[n] != published.get(n)]
    due = sorted({*due, *changes.audited} - {*changes.blocked})
    audit = audited(spark, settings, project, run, due, state)
    if audit.stops:
        _restore(tables, after, published)
        raise breach(audit.stops)
    run.warnings += audit.broken
    steps = [
        run.record(_step(run, tables, outcome, before[outcome.table], after[outcome.table]))
        for outcome in outcomes
        if outcome.table in before
    ]
    publication = changes.publication(run.number, after, outcomes)
    if not publication.equals(last):
        publish.append(tables, publication)
    for measured in audit.audits:
        measured.record()
    return steps


def _unread(tables: Tables, read: Mapping[TableName, int], sources: Iterable[TableName]) -> int:
    return sum(bytes_added(tables, name, read.get(name, ABSENT)) for name in sources)


def _versions(tables: Tables, names: Iterable[TableName]) -> dict[TableName, int]:
    return {name: tables.version(name) for name in names}


def _restore(
    tables: Tables, names: Iterable[TableName], published: Mapping[TableName, int]
) -> None:
    """Put tables back to what was published; one that never was is emptied."""
    for name in names:
        if tables.version(name) != published.get(name, ABSENT):
            restore(tables, name, published.get(name, ABSENT), [])


def _step(run: Run, tables: Tables, outcome: Outcome, before: int, after: int) -> Step:
    name = outcome.table
    assert name is not None
    written = written_between(tables, name, before, after)
    return Step(
        run=run.number,
        domain=run.domain,
        layer=name.layer,
        table=str(name),
        written=written.rows,
        bytes=written.bytes,
        seconds=outcome.seconds,
        version_from=before,
        version_to=after,
        status="skipped" if outcome.status == "skipped" else "done",
        message=outcome.message if outcome.message != "OK" else "",
    )
