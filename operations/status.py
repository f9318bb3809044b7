"""The status of each table and domain, read from Delta logs and the ledger without a JVM."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from lakehouse.runs.bookmarks import newest_offset
from lakehouse.storage.table_log import bookmark, committed_at, table_size
from operations.pending_files import pending_files

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from lakehouse.settings import Settings
    from lakehouse.storage.tables import TableName, Tables

READERS = 4


def status(settings: Settings, domain: str = "", now: datetime | None = None) -> dict[str, Any]:
    """Return the status of one domain or all: last run, tables, publication, pending files."""
    from lakehouse.runs.ledger import Ledger, code_version
    from lakehouse.storage.tables import Tables

    tables, instant = Tables.at(settings), now or datetime.now(UTC)
    ledger = Ledger(tables)
    steps, runs = ledger.steps(domain or None), ledger.runs(domain or None)
    stored = {name.domain for name in tables.names() if name.domain}
    chosen = [domain] if domain else sorted({*domains(settings.contracts), *stored})
    return {
        "at": instant,
        "home": str(settings.home),
        "warehouse": tables.warehouse,
        "code_version": code_version(),
        "domains": [
            {
                "domain": name,
                "last_run": next((run for run in reversed(runs) if run["domain"] == name), None),
                "tables": _tables(tables, name, steps, instant),
                "published": _published(tables, name),
                **pending_files(settings, name),
            }
            for name in chosen
        ],
    }


def _tables(
    tables: Tables, domain: str, steps: list[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """Return one row a table of the domain, layer by layer."""
    names = list(tables.names(domain))
    with ThreadPoolExecutor(READERS) as pool:
        opened = dict(zip(names, pool.map(tables.open, names), strict=True))
    newest = {name: newest_offset(table) for name, table in opened.items() if table is not None}
    last: dict[TableName, dict[str, Any]] = {}
    upstreams: dict[TableName, set[TableName]] = {}
    for step in steps:
        if step["domain"] == domain:
            name = table_of(step)
            last[name] = step
            upstreams.setdefault(name, set()).update(upstreams_of(step))
    rows = []
    for name, table in opened.items():
        if table is not None:
            consumed = [_consumed(table, up, newest) for up in sorted(upstreams.get(name, ()))]
            rows.append(_row(name, table, last.get(name), [c for c in consumed if c], now))
    return rows


def _published(tables: Tables, domain: str) -> dict[str, Any] | None:
    """Return gold's latest publication, and which of its upstreams have newer versions."""
    from gold.publish import latest

    last = latest(tables, domain)
    if last is None:
        return None
    return {
        "run": last.run,
        "at": last.at,
        "versions": {str(name): version for name, version in sorted(last.versions.items())},
        "behind": [
            str(name)
            for name, version in sorted(last.consumed.items())
            if version >= 0 and tables.version(name) > version
        ],
    }


def table_of(step: dict[str, Any]) -> TableName:
    """Return the table that a ledger step is about."""
    from lakehouse.storage.tables import TableName

    own = step["table"].removeprefix(f"{step['layer']}.")
    return TableName(step["layer"], own if "__" in own else f"{step['domain']}__{own}")


def upstreams_of(step: dict[str, Any]) -> list[TableName]:
    """Return the tables a ledger step read; files are not among them."""
    from lakehouse.errors import UsageError
    from lakehouse.storage.tables import TableName

    names = []
    for text in step["upstream"].replace(",", " ").split():
        try:
            names.append(TableName.parse(text))
        except UsageError:
            continue
    return names


def _consumed(
    table: DeltaTable, upstream: TableName, newest: dict[TableName, int]
) -> dict[str, Any] | None:
    """Return a table's bookmark of its upstream, None where its log has none."""
    consumed = bookmark(table, str(upstream))
    if consumed is None:
        return None
    current = newest.get(upstream, -1)
    return {
        "table": str(upstream),
        "consumed": consumed,
        "current": current,
        "behind": current > consumed,
    }


def _rows_by_status(table: DeltaTable) -> dict[str, int]:
    """Return how many rows of a quarantine table are open, replayed and expired."""
    counts: dict[str, int] = dict.fromkeys(("open", "replayed", "expired"), 0)
    for batch in table.scan(columns=["status"]):
        for status in batch["status"].to_pylist():
            counts[status] += 1
    return counts


def _row(
    name: TableName,
    table: DeltaTable,
    step: dict[str, Any] | None,
    upstream: list[dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    size = table_size(table)
    committed = committed_at(table)
    is_quarantine = name.layer == "silver" and name.table.endswith("_quarantine")
    quarantine = _rows_by_status(table) if is_quarantine else None
    return {
        "table": str(name),
        "layer": name.layer,
        "rows": size.rows,
        "version": table.version(),
        "files": size.files,
        "bytes": size.bytes,
        "committed_at": committed,
        "age_seconds": None if committed is None else round((now - committed).total_seconds()),
        "upstream": upstream,
        "behind": any(table["behind"] for table in upstream),
        "last_step": step
        and {key: step[key] for key in ("run", "status", "seconds", "message", "at")},
        "open_quarantine": None if quarantine is None else quarantine["open"],
        "quarantine": quarantine,
    }
