"""What started dbt: a run, which says how far each table was brought, or a person's shell.

dbt makes its adapter itself, so the adapter asks here instead of reading the process's environment.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Protocol

from gold import publish
from lakehouse.runs.lock import lock_domain
from lakehouse.settings import Settings
from lakehouse.storage.catalog import names_in, register
from lakehouse.storage.table_log import bytes_added
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

NOTHING = -1
# Less is built sooner without the JVM's best compiler, as a person's build of one model is.
SMALL_BYTES = 32_000_000


@dataclass(frozen=True)
class BuildState:
    """How far a domain's tables were brought by the last publication, and what starts over.

    `since` is the batch up to which every table was brought and audited. A table in `rebuilt` is
    derived from all there is; all rows of one in `audited_in_full` are audited, of every table for None.
    """

    since: int = NOTHING
    rebuilt: Collection[TableName] = ()
    audited_in_full: Collection[TableName] | None = ()

    def watermark(self, table: TableName) -> int:
        """Return the batch after which events are new to a table, -1 where all of them are."""
        return NOTHING if table in self.rebuilt else self.since

    def audited(self, table: TableName) -> int:
        """Return the batch up to which a table's rows were audited, -1 where none counts as audited."""
        if self.audited_in_full is None or table in self.audited_in_full:
            return NOTHING
        return self.watermark(table)


class Invocation(Protocol):
    """One start of dbt."""

    @property
    def settings(self) -> Settings:
        """Return where the warehouse is."""
        ...

    def connect(self) -> None:
        """Start the session and register what models read, where that is not done."""

    def state(self, domain: str) -> BuildState:
        """Return how far a domain's tables were brought."""
        ...

    def lock(self, domain: str) -> None:
        """Make sure that nobody else writes the domain's tables."""


@dataclass(frozen=True)
class RunInvocation:
    """dbt within a run: the run has opened the session, registered the tables and locked the domain."""

    settings: Settings
    build: BuildState

    def connect(self) -> None:
        """Return at once: the run has done it."""

    def state(self, domain: str) -> BuildState:  # noqa: ARG002 - a run has one domain
        """Return the state that the run found."""
        return self.build

    def lock(self, domain: str) -> None:
        """Return at once: the run has the lock."""


@dataclass
class ShellInvocation:
    """dbt as a person starts it: on the warehouse of `LAKEHOUSE_*`, else `.lakehouse` beside the project.

    What it writes is a draft: readers keep the published versions, and the next run returns to them
    before it builds.
    """

    project: Path
    _lock: RLock = field(default_factory=RLock, repr=False)
    _settings: Settings | None = field(default=None, repr=False)
    _states: dict[str, BuildState] = field(default_factory=dict, repr=False)
    _locked: ExitStack = field(default_factory=ExitStack, repr=False)
    _written: set[str] = field(default_factory=set, repr=False)
    _connected: bool = False

    @property
    def settings(self) -> Settings:
        """Return the settings of the environment, with this dbt project."""
        with self._lock:
            if self._settings is None:
                chosen = Settings(dbt_project=self.project)
                if "LAKEHOUSE_HOME" not in os.environ:
                    home = self.project.parent / ".lakehouse"
                    chosen = Settings(dbt_project=self.project, home=home)
                self._settings = chosen
            return self._settings

    def connect(self) -> None:
        """Start the session, and register the sources and tables of every domain with models."""
        from lakehouse.engine.session import SMALL_WORKLOAD, boot, spark

        with self._lock:
            if self._connected:
                return
            small = self._source_bytes() < SMALL_BYTES
            boot(self.settings, short=small)
            session = spark(self.settings)
            for key, value in (SMALL_WORKLOAD if small else {}).items():
                session.conf.set(key, value)
            for domain in self._domains():
                _register(session, self.settings, domain)
            self._connected = True

    def _domains(self) -> list[str]:
        return sorted(path.name for path in (self.project / "models").iterdir() if path.is_dir())

    def _source_bytes(self) -> int:
        """Return how much models read when all of them are built from all there is."""
        from gold.dbt.project import Project

        tables = Tables.at(self.settings)
        sources = {
            name for domain in self._domains() for name in Project(self.settings, domain).sources()
        }
        return sum(bytes_added(tables, name, NOTHING) for name in sources)

    def state(self, domain: str) -> BuildState:
        """Return what was published last; every row is audited, whenever it was written."""
        with self._lock:
            if domain not in self._states:
                last = publish.latest(Tables.at(self.settings), domain)
                since = NOTHING if last is None else last.loaded
                self._states[domain] = BuildState(since, audited_in_full=None)
            return self._states[domain]

    def lock(self, domain: str) -> None:
        """Lock the domain until this process ends; raise DomainLocked while a run works on it."""
        with self._lock:
            if domain not in self._written:
                self._locked.enter_context(lock_domain(self.settings.home, domain, "dbt"))
                self._written.add(domain)


def _register(session: SparkSession, settings: Settings, domain: str) -> None:
    """Register a domain's sources, its stored tables as they are now, and its published views."""
    from gold.dbt.project import Project

    tables = Tables.at(settings)
    shown = publish.views(tables, domain)
    stored = [name for name in tables.names(domain) if name.layer == "gold"]
    register(session, settings, [*Project(settings, domain).sources(), *stored])
    register_views(session, shown, stored)


def register_views(
    session: SparkSession, views: Mapping[TableName, str], tables: Collection[TableName]
) -> None:
    """Register published views over tables that are registered, those that read others last."""
    there, left = set(tables), dict(views)
    while left:
        ready = [
            name
            for name, query in left.items()
            if all(read in there for read in names_in(query) if read.layer == name.layer)
        ]
        if not ready:
            return
        for name in ready:
            session.sql(f"create or replace view {name.layer}.`{name.table}` as {left.pop(name)}")
            there.add(name)


# The last one counts. A project may be parsed in the background, which takes no part here.
_current: list[Invocation] = []


@contextmanager
def invoked_by(invocation: Invocation) -> Iterator[None]:
    """Make an invocation the current one for the length of a block."""
    _current.append(invocation)
    try:
        yield
    finally:
        _current.remove(invocation)


def start_in_shell(project: Path) -> None:
    """Make a shell's invocation the current one, unless a run has started dbt."""
    if not _current:
        _current.append(ShellInvocation(project))


def current() -> Invocation:
    """Return the invocation of this process's dbt."""
    return _current[-1]
