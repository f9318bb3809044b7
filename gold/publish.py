"""Publications: one row is one table of a domain at the version that readers should use."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from gold.dbt.signatures import Signature
from lakehouse.storage.publications import PUBLICATIONS, published
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PUBLICATIONS", "Publication", "append", "latest", "published", "views"]

_SCHEMA = pa.schema(
    [
        ("run", pa.int64()),
        ("domain", pa.string()),
        ("table", pa.string()),
        ("version", pa.int64()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("consumed", pa.string()),
        ("code", pa.string()),
        ("definition", pa.string()),
        ("since", pa.int64()),
        ("model_signature", pa.string()),
        ("audit_signature", pa.string()),
    ]
)


_COMPARED = ("versions", "views", "consumed", "code", "signatures")


@dataclass(frozen=True)
class Publication:
    """What one run made visible, and what it was made from.

    `since` is the batch that every table was brought up to and audited: the run's own, or an
    earlier one where tables were blocked. None stands for the run's own. `code` is the fingerprint of
    the project's files, `signatures` say of each table and view what it was built and audited by.
    """

    run: int
    domain: str
    versions: Mapping[TableName, int]
    views: Mapping[TableName, str]
    consumed: Mapping[TableName, int]
    code: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    since: int | None = None
    signatures: Mapping[TableName, Signature] = field(default_factory=dict)

    @property
    def loaded(self) -> int:
        """Return the batch up to which no table has anything left to read."""
        return self.run if self.since is None else self.since

    def equals(self, other: Publication | None) -> bool:
        """Return whether another publication shows readers the same, made from the same."""
        if other is None:
            return False
        return all(getattr(self, name) == getattr(other, name) for name in _COMPARED)


def latest(tables: Tables, domain: str, before: int | None = None) -> Publication | None:
    """Return the last publication of a domain, or the last of the runs before one.

    None before the first, and where the last was withdrawn.
    """
    stored = tables.read(PUBLICATIONS)
    rows = [] if stored is None else stored.to_pylist()
    rows = [row for row in rows if row["domain"] == domain]
    rows = [row for row in rows if before is None or row["run"] < before]
    if not rows:
        return None
    at = max(row["at"] for row in rows)
    rows = [row for row in rows if row["at"] == at]
    if not any(row["version"] >= 0 or row["definition"] for row in rows):
        return None
    names = {TableName.parse(row["table"]): row for row in rows}
    consumed = json.loads(rows[0]["consumed"])
    return Publication(
        run=rows[0]["run"],
        domain=domain,
        versions={name: row["version"] for name, row in names.items() if not row["definition"]},
        views={name: row["definition"] for name, row in names.items() if row["definition"]},
        consumed={TableName.parse(name): version for name, version in consumed.items()},
        code=rows[0]["code"],
        at=at,
        since=rows[0].get("since"),
        signatures={
            name: Signature(row["model_signature"], row["audit_signature"] or "")
            for name, row in names.items()
            if row.get("model_signature")
        },
    )


def views(tables: Tables, domain: str) -> dict[TableName, str]:
    """Return the query of each published view, for a catalog that forgets."""
    publication = latest(tables, domain)
    return {} if publication is None else dict(publication.views)


def return_to(tables: Tables, domain: str, run: int) -> Publication | None:
    """Publish once more what was published before a run; return it, None for nothing at all.

    It keeps the number of the run that made it: what came after that is to be audited. What it
    consumed are old versions of silver, so a build is due, whether it is moved on or not.
    """
    earlier, now = latest(tables, domain, before=run), latest(tables, domain)
    if earlier is not None:
        again = replace(earlier, at=datetime.now(UTC))
        if not again.equals(now):
            append(tables, again)
    elif now is not None:
        nothing = dict.fromkeys([*now.versions, *now.views], -1)
        append(tables, Publication(0, domain, nothing, {}, {}, ""))
    return earlier


def forget_code(tables: Tables, domain: str, run: int) -> None:
    """Have the next build rebuild every table, unless what follows publishes before it.

    For a change of silver that no version or batch shows: killed after it, gold is still rebuilt.
    """
    last = latest(tables, domain)
    if last is not None and (last.code or last.signatures):
        append(tables, replace(last, run=run, code="", signatures={}, at=datetime.now(UTC)))


def append(tables: Tables, publication: Publication) -> None:
    """Make a publication visible, all tables in one commit.

    The newest counts, so it is given a later time than all before it, also by a clock that went back.
    """
    times = [
        row["at"]
        for row in tables.rows(PUBLICATIONS, ["domain", "at"])
        if row["domain"] == publication.domain
    ]
    at = max([publication.at, *[time + timedelta(microseconds=1) for time in times]])
    consumed = {str(name): version for name, version in sorted(publication.consumed.items())}
    fixed = {
        "run": publication.run,
        "domain": publication.domain,
        "at": at,
        "consumed": json.dumps(consumed),
        "code": publication.code,
        "since": publication.loaded,
    }
    shown = [
        *((name, version, "") for name, version in sorted(publication.versions.items())),
        *((name, -1, query) for name, query in sorted(publication.views.items())),
    ]
    rows = []
    for name, version, query in shown:
        made = publication.signatures.get(name, Signature())
        row = {"table": str(name), "version": version, "definition": query}
        rows.append({**fixed, **row, "model_signature": made.model, "audit_signature": made.audit})
    tables.append(PUBLICATIONS, pa.Table.from_pylist(rows, schema=_SCHEMA))
