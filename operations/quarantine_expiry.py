"""Expires old quarantined rows: their values are removed, their reasons and counts stay."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from lakehouse.settings import Settings
    from lakehouse.storage.tables import TableName, Tables

AGE = re.compile(r"^(\d+)\s*(h|d|w)$")
UNITS = {"h": "hours", "d": "days", "w": "weeks"}
# A replayed row is loaded already: it does not expire, but its values are not needed twice
EXPIRABLE = "status <> 'expired' and \"row\" is not null"


def age(text: str) -> timedelta:
    """Return a span written as `90d`, `12h` or `4w`; raise UsageError for other texts."""
    from lakehouse.errors import UsageError

    match = AGE.match(text.strip())
    if match is None:
        raise UsageError(f"'{text}' is no age: write 90d, 12h or 4w")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def plan(settings: Settings, domain: str, older_than: timedelta) -> list[dict[str, Any]]:
    """Return one row a dataset with rows that old: how many of them are open, how many replayed."""
    from lakehouse.storage.tables import TableName, Tables
    from operations.quarantine_replay import gated_contracts

    tables, before, datasets = Tables.at(settings), datetime.now(UTC) - older_than, []
    for contract in gated_contracts(settings, domain):
        name = TableName.of("silver", domain, f"{contract.dataset}_quarantine")
        old = _old(tables, name, before)
        if old is not None and old.num_rows:
            statuses = old["status"].to_pylist()
            open_rows = statuses.count("open")
            datasets.append(
                {
                    "dataset": contract.dataset,
                    "table": str(name),
                    "open": open_rows,
                    "replayed": len(statuses) - open_rows,
                }
            )
    return datasets


def expire(
    settings: Settings,
    domain: str,
    older_than: timedelta,
    progress: Callable[..., None] = lambda *_: None,
) -> dict[str, Any]:
    """Expire the open rows that are older, and clear all that are; return what was done.

    Raises:
        DomainLocked: another run has locked the domain.
    """
    from lakehouse.runs.ledger import Ledger, Step
    from lakehouse.runs.lock import lock_domain
    from lakehouse.storage.tables import TableName, Tables

    tables, before = Tables.at(settings), datetime.now(UTC) - older_than
    with lock_domain(settings.home, domain, "quarantine expire"):
        datasets = plan(settings, domain, older_than)
        if not datasets:
            return {"domain": domain, "run": 0, "datasets": []}
        with Ledger(tables).run(domain, "quarantine expire", ("silver",)) as run:
            for row in datasets:
                progress(f"{row['dataset']}: {row['open']:,} rows")
                name = TableName.parse(row["table"])
                _clear(tables, name, before, run.number)
                message = f"{row['open']:,} open rows expired"
                run.record(Step(run.number, domain, "silver", str(name), message=message))
            run.note = f"expired {sum(row['open'] for row in datasets):,} quarantined rows"
    return {"domain": domain, "run": run.number, "datasets": datasets}


def _old(
    tables: Tables, name: TableName, before: datetime, *, rest: bool = False
) -> pa.Table | None:
    """Return the rows from before an instant that still have values, or the `rest`; None for no table."""
    from lakehouse.engine.duckdb import connection

    table = tables.open(name)
    if table is None or "quarantined_at" not in {field.name for field in table.schema().fields}:
        return None
    with connection() as database:
        database.register("quarantined", table.scan())
        is_old = f"coalesce({EXPIRABLE} and quarantined_at < $1, false)"
        query = f"from quarantined where {'not ' if rest else ''}{is_old}"
        return database.sql(query, params=[before]).to_arrow_table()


def _clear(tables: Tables, name: TableName, before: datetime, run: int) -> None:
    """Clear the values of the old rows, in one commit; reasons and counts are kept.

    The table is written as a whole: it is small, and delta-rs takes no predicate on a map or an instant.
    """
    import pyarrow as pa
    from deltalake import write_deltalake

    from lakehouse.quality.quarantine_rows import FAILURES, RESOLUTION, ROW

    rows, rest = _old(tables, name, before), _old(tables, name, before, rest=True)
    assert rows is not None
    assert rest is not None
    count, now = rows.num_rows, datetime.now(UTC)
    reasons = [
        failures and [f | {"value": None} for f in failures]
        for failures in rows["failures"].to_pylist()
    ]
    was_open = [status == "open" for status in rows["status"].to_pylist()]

    def resolved(column: str, value: Any) -> pa.Array:
        there = column in rows.column_names
        old = rows[column].to_pylist() if there else [None] * count
        new = [value if open_now else kept for open_now, kept in zip(was_open, old, strict=True)]
        return pa.array(new, RESOLUTION[column])

    columns = {
        **{label: rows[label] for label in rows.column_names},
        "row": pa.nulls(count, ROW),
        "failures": pa.array(reasons, FAILURES),
        "status": ["expired" if open_now else "replayed" for open_now in was_open],
        "settled_batch": resolved("settled_batch", run),
        "settled_at": resolved("settled_at", now),
    }
    written = pa.concat_tables([rest, pa.table(columns)], promote_options="permissive")
    write_deltalake(tables.path(name), written, mode="overwrite", schema_mode="merge")
