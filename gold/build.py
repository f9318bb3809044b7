"""Gold is written, audited, then published: readers never see a table that failed its audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gold import publish
from gold.audit import audited
from gold.dbt.project import Project
from gold.errors import breach, told
from gold.expectations import Expectations
from lakehouse.engine.session import SMALL_WORKLOAD, configured
from lakehouse.runs.ledger import Run, Step
from lakehouse.storage.catalog import register
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
    """Return, without a JVM, whether a build would have anything new to read.

    It has where a table of silver moved on since the last publication, or the SQL changed.
    """
    project, tables = Project(settings, domain), Tables.at(settings)
    if not project.exists:
        return False
    last = publish.latest(tables, domain)
    now = _versions(tables, project.sources())
    if last is None:
        return any(version >= 0 for version in now.values())
    return project.code() != last.code or now != last.consumed


def news(settings: Settings, domain: str) -> int:
    """Return, without a JVM, how many bytes of its sources a build has not read yet."""
    project, tables = Project(settings, domain), Tables.at(settings)
    if not project.exists:
        return 0
    last = publish.latest(tables, domain)
    anew = last is None or last.code != project.code()
    return _unread(tables, {} if anew or last is None else last.consumed, project.sources())


def build(
    spark: SparkSession,
    settings: Settings,
    domain: str,
    run: Run,
    *,
    progress: Progress | None = None,
    full_refresh: bool = False,
    restated: Iterable[TableName] = (),
    held: Iterable[TableName] = (),
    project: Project | None = None,
) -> list[Step]:
    """Bring a domain's gold up to date and publish it; return one step a table.

    A table that does not exist in silver yet leaves out the models that need it. `progress` hears
    the name of each model and test as it ends, with how many are done of how many. Changed SQL
    builds everything anew. What reads the tables in `restated`, or is one of them, is built anew;
    then nothing else may be pending. What reads the silver tables in `held` stays as it is, and
    what these would have told it is read by a later build. `project` may have been parsed ahead.

    Raises:
        ContractBreach: an audit failed; every table is back at its published version.
        LakehouseError: a model could not be built; every table is back, too.
    """
    project, tables = project or Project(settings, domain), Tables.at(settings)
    if not project.exists:
        return []
    last, code = publish.latest(tables, domain), project.code()
    restated = list(restated)
    anew = full_refresh or last is None or (last.code != code and not restated)
    sources = project.sources()
    consumed = _versions(tables, sources)
    before = _versions(tables, project.tables().values())
    found = register(spark, settings, [*sources, *(n for n in before if before[n] >= 0)])
    moved = None if anew or last is None else restated or _moved(last.consumed, consumed)
    held = [name for name in held if name in sources]
    if moved == [] or (moved is not None and set(moved) <= set(held)):
        return []
    waiting, unread = project.held_back(held) if held else ([], [])
    few = (
        last is not None
        and not restated
        and moved is not None
        and _unread(tables, last.consumed, moved) < FEW_BYTES
        and sum(bytes_added(tables, name, -1) for name in (*sources, *before)) < SMALL_BYTES
    )
    Expectations.import_ahead()
    since = -1 if anew or restated or last is None else last.settled
    with configured(spark, OPTIONS | (SMALL_WORKLOAD if few else {})):
        outcomes = project.build(
            full_refresh=anew or bool(restated),
            since=since,
            settled=[] if anew or restated or last is None else _settled(before, last),
            changed=moved,
            missing=[*(name for name in sources if name not in found), *held, *waiting],
            progress=progress,
        )
    after = _versions(tables, before)
    failed = [outcome for outcome in outcomes if outcome.failed]
    published = {} if last is None else last.versions
    if failed:
        error = told(spark, domain, failed)
        _restore(spark, tables, after, published)
        raise error
    changed = [n for n in after if after[n] >= 0 and after[n] != published.get(n)]
    found = audited(spark, settings, project, run, [n for n in changed if n not in waiting], since)
    if found.stops:
        _restore(spark, tables, after, published)
        raise breach(found.stops)
    run.warnings += found.broken
    steps = [
        run.record(_step(run, tables, outcome, before[outcome.table], after[outcome.table]))
        for outcome in outcomes
        if outcome.table in before
    ]
    publication = publish.Publication(
        run=run.number,
        domain=domain,
        versions=_shown(after, last, waiting),
        views=({} if anew or last is None else dict(last.views)) | _views(outcomes, before),
        consumed=consumed
        | {name: -1 if last is None else last.consumed.get(name, -1) for name in unread},
        # What was held back while all else was made anew is made anew with the next.
        code="" if waiting and anew else code,
        since=None if not waiting else -1 if last is None else last.settled,
    )
    if not publication.says_the_same_as(last):
        publish.append(tables, publication)
    for each in found.audits:
        each.record()
    return steps


def _shown(
    after: Mapping[TableName, int], last: publish.Publication | None, waiting: list[TableName]
) -> dict[TableName, int]:
    """Return the versions to publish: of what was held back, those that were published before."""
    before = {} if last is None else last.versions
    return {
        name: before[name] if name in waiting else version
        for name, version in after.items()
        if version >= 0 and (name not in waiting or name in before)
    }


def _views(outcomes: list[Outcome], stored: Mapping[TableName, int]) -> dict[TableName, str]:
    return {o.table: o.query for o in outcomes if o.table and o.table not in stored}


def _settled(now: Mapping[TableName, int], last: publish.Publication) -> list[TableName]:
    """Return the tables that stand as they were published."""
    return [name for name, version in now.items() if version == last.versions.get(name)]


def _moved(before: Mapping[TableName, int], now: Mapping[TableName, int]) -> list[TableName]:
    return [name for name, version in now.items() if version != before.get(name)]


def _unread(tables: Tables, read: Mapping[TableName, int], sources: Iterable[TableName]) -> int:
    return sum(bytes_added(tables, name, read.get(name, -1)) for name in sources)


def _versions(tables: Tables, names: Iterable[TableName]) -> dict[TableName, int]:
    return {name: tables.version(name) for name in names}


def _restore(
    spark: SparkSession,
    tables: Tables,
    now: Mapping[TableName, int],
    published: Mapping[TableName, int],
) -> None:
    """Put every table back to what was published; one that never was is emptied.

    An empty table has no watermark, so the next build derives all of it again.
    """
    for name, version in now.items():
        if version < 0 or version == published.get(name):
            continue
        path = tables.path(name)
        if name in published:
            spark.sql(f"restore table delta.`{path}` to version as of {published[name]}")
        else:
            spark.sql(f"delete from delta.`{path}`")


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
