"""The versions that readers should use, as the publications table of `ops` says. No JVM."""

# pyarrow ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

from lakehouse.storage.tables import TableName, Tables

PUBLICATIONS = TableName("ops", "publications")


def published(tables: Tables, domain: str) -> dict[TableName, int]:
    """Return the published version of each table of a domain; empty before the first publication.

    A table that is not among them was never published: its newest version is all there is.
    """
    stored = tables.read(PUBLICATIONS, ["domain", "table", "version", "at"])
    rows: list[dict[str, Any]] = [] if stored is None else stored.to_pylist()
    rows = [row for row in rows if row["domain"] == domain]
    newest = max((row["at"] for row in rows), default=None)
    return {
        TableName.parse(row["table"]): row["version"]
        for row in rows
        if row["at"] == newest and row["version"] >= 0
    }
