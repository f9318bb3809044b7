"""What a build has to do: which models read new rows, which are rebuilt, and which are blocked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gold.publish import Publication

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gold.dbt.project import Project
    from gold.dbt.results import Outcome
    from gold.dbt.signatures import Signature
    from lakehouse.storage.tables import TableName

EVERYTHING = -1


@dataclass(frozen=True)
class Changes:
    """What changed since the last publication: sources, models, audits.

    `keys` are the models to rebuild by dbt's unique id, `rebuilt` their tables and views; all rows of
    the tables in `audited` are audited. Of what is blocked `unread` are all sources.
    """

    project: Project
    signatures: Mapping[TableName, Signature]
    last: Publication | None
    consumed: Mapping[TableName, int]
    moved: list[TableName]
    keys: set[str]
    audit_keys: set[str]
    blocked_sources: list[TableName]
    blocked: list[TableName]
    unread: list[TableName]

    @classmethod
    def of(
        cls,
        project: Project,
        last: Publication | None,
        consumed: Mapping[TableName, int],
        *,
        full_refresh: bool,
        rebuilt: Iterable[TableName],
        blocked: Iterable[TableName],
    ) -> Self:
        """Return what changed; where tables are named in `rebuilt`, they and their readers alone."""
        mine, named = project.signatures(), set(rebuilt)
        moved = [
            name
            for name, version in consumed.items()
            if last is None or version != last.consumed.get(name)
        ]
        blocked_sources = sorted(name for name in blocked if name in consumed)
        models, unread = project.blocked(blocked_sources) if blocked_sources else ([], [])
        audits: set[str] = set()
        if full_refresh or last is None:
            keys = set(mine)
        elif named:
            tables = {*project.dependants(named)}
            keys = {key for key, name in project.tables().items() if name in tables}
        else:
            before = {key: last.signatures.get(project.name(key)) for key in mine}
            changed = {
                key
                for key, made in mine.items()
                if (was := before[key]) is None or was.model != made.model
            }
            keys = project.with_readers(changed)
            audits = {
                key
                for key, made in mine.items()
                if key not in keys and (was := before[key]) is not None and was.audit != made.audit
            }
        signatures = {project.name(key): made for key, made in mine.items()}
        return cls(
            project,
            signatures,
            last,
            consumed,
            moved,
            keys,
            audits,
            blocked_sources,
            models,
            unread,
        )

    def __bool__(self) -> bool:
        """Return whether there is anything to build, to audit or to write into the publication."""
        last, moved = self.last, set(self.moved)
        if last is None and not any(version >= 0 for version in self.consumed.values()):
            return False
        return bool(
            moved - {*self.blocked_sources}
            or self._due
            or (not moved and last is not None and last.code != self.project.fingerprint())
        )

    @property
    def rebuilt(self) -> frozenset[TableName]:
        """Return the tables and views to rebuild."""
        return frozenset(map(self.project.name, self.keys))

    @property
    def audited(self) -> frozenset[TableName]:
        """Return the tables that are audited in full though they are not rebuilt."""
        return frozenset(map(self.project.name, self.audit_keys))

    @property
    def since(self) -> int:
        """Return the batch up to which every table was brought."""
        return EVERYTHING if self.last is None else self.last.loaded

    @property
    def selection(self) -> list[str]:
        """Return what dbt is to run, in its own words; empty for nothing."""
        return self.project.selection(self.moved, self.keys, self.audit_keys)

    @property
    def _due(self) -> set[str]:
        """Return the models to rebuild or to audit that are not blocked."""
        blocked = {*self.blocked}
        return {key for key in self.keys | self.audit_keys if self.project.name(key) not in blocked}

    def publication(
        self, run: int, after: Mapping[TableName, int], outcomes: Iterable[Outcome]
    ) -> Publication:
        """Return what to publish: what was built, and what is blocked as it was published before."""
        last, blocked = self.last, set(self.blocked)
        before = {} if last is None else last.versions
        postponed = (self.keys | self.audit_keys) - self._due
        built = {outcome.table: outcome.query for outcome in outcomes if outcome.table}
        old = {} if last is None else last.signatures
        kept = {self.project.name(key) for key in postponed} | (self.rebuilt - built.keys())
        read = {} if last is None else last.consumed
        return Publication(
            run=run,
            domain=self.project.domain,
            versions={
                name: before[name] if name in blocked else version
                for name, version in after.items()
                if version >= 0 and (name not in blocked or name in before)
            },
            views={
                name: query
                for name, query in ({} if last is None else dict(last.views) | built).items()
                if name in self.signatures and name not in after
            },
            consumed={
                **self.consumed,
                **{name: read.get(name, EVERYTHING) for name in self.unread},
            },
            # What is blocked and has changed is due as soon as it no longer is.
            code="" if postponed else self.project.fingerprint(),
            since=None if not blocked else self.since,
            signatures={
                name: old[name] if name in kept else made
                for name, made in self.signatures.items()
                if name not in kept or name in old
            },
        )
