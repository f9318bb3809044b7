"""Quarantined rows and the reasons for which gates rejected them, read without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings
    from lakehouse.storage.tables import Tables

SUFFIX = "_quarantine"
MASK = "•••"


def reasons(settings: Settings, domain: str = "") -> list[dict[str, Any]]:
    """Return one row a dataset and reason: open rows and all rows with it, first and last run.

    A row with several reasons counts once under each.
    """
    from lakehouse.storage.tables import Tables

    tables, result = Tables.at(settings), []
    for name in [domain] if domain else domains(settings.contracts):
        for dataset, query in _datasets(tables, name):
            rows = query(
                'select f."column" as "column", f.rule as rule, count(*) as rows, '
                "count(*) filter (where status = 'open') as open, "
                "min(_batch) as first_run, max(_batch) as last_run "
                "from (select unnest(failures) as f, status, _batch from quarantined) "
                'group by all order by rows desc, "column", rule'
            )
            result += [{"domain": name, "dataset": dataset, **row} for row in rows]
    return result


def totals(settings: Settings, domain: str) -> dict[str, dict[str, int]]:
    """Return, by dataset, how many rows are in quarantine and how many of them are open."""
    from lakehouse.storage.tables import Tables

    count = (
        "select count(*) as rows, count(*) filter (where status = 'open') as open from quarantined"
    )
    return {dataset: query(count)[0] for dataset, query in _datasets(Tables.at(settings), domain)}


def rows_of(
    settings: Settings,
    domain: str,
    dataset: str,
    *,
    rule: str = "",
    limit: int = 20,
    unseal: bool = False,
) -> dict[str, Any]:
    """Return the newest quarantined rows of a dataset with their reasons.

    Personal values are masked, or with `unseal` shown as they came.
    """
    from contracts.parsing.load import load_domain
    from lakehouse.errors import UsageError
    from lakehouse.storage.tables import Tables

    contracts = load_domain(settings.contracts, domain)
    if dataset not in contracts:
        raise UsageError(f"no dataset '{dataset}' in '{domain}'; there is: {', '.join(contracts)}")
    query = dict(_datasets(Tables.at(settings), domain)).get(dataset)
    if query is None:
        return {"dataset": f"{domain}.{dataset}", "total": 0, "rows": []}
    matching = (
        'where len(list_filter(failures, lambda f: f.rule = $rule or f."column" = $rule)) > 0'
    )
    where, parameters = (matching, {"rule": rule}) if rule else ("", {})
    total = query(f"select count(*) as n from quarantined {where}", parameters)[0]["n"]
    rows = query(
        f"select * from quarantined {where} order by _batch desc, _sequence limit {int(limit)}",
        parameters,
    )
    rows_shown = (
        [_unsealed(row, contracts[dataset], settings) for row in rows]
        if unseal
        else [_masked(row, {c.casefold() for c in contracts[dataset].personal}) for row in rows]
    )
    return {"dataset": f"{domain}.{dataset}", "total": total, "rows": rows_shown}


def _unsealed(row: dict[str, Any], contract: Contract, settings: Settings) -> dict[str, Any]:
    """Return the row with every value as it came."""
    from lakehouse.quality.quarantine_rows import change_personal_values
    from lakehouse.quality.sealing import Seal

    plain = {**row, "row": dict(row["row"] or {}), "failures": row["failures"] or []}
    return (
        change_personal_values(plain, contract, Seal.at(settings).unseal)
        if contract.personal
        else plain
    )


def _masked(row: dict[str, Any], personal: set[str]) -> dict[str, Any]:
    """Return the row with every personal value masked, and an unreadable line that may contain one."""
    from lakehouse.quality.quarantine_rows import LINE
    from lakehouse.quality.sealing import is_sealed

    hidden = personal | (set(LINE) if personal else set())

    def mask(label: str, value: str | None) -> str | None:
        # A sealed value stays masked, whether or not the contract of today classifies its column
        if is_sealed(value) or hidden.intersection(label.casefold().split(", ")):
            return MASK
        return value

    return {
        **row,
        "row": {label: mask(label, value) for label, value in dict(row["row"] or {}).items()},
        "failures": [
            f | {"value": mask(f["column"] or "", f["value"])} for f in row["failures"] or []
        ],
    }


def _datasets(tables: Tables, domain: str) -> Iterator[tuple[str, Any]]:
    """Yield each dataset that has a quarantine, with a function that queries it as `quarantined`."""
    import duckdb

    for name in tables.names(domain):
        if name.layer != "silver" or not name.table.endswith(SUFFIX):
            continue
        table = tables.open(name)
        if table is None:
            continue
        dataset = name.table.removeprefix(f"{domain}__").removesuffix(SUFFIX)
        connection = duckdb.connect()
        connection.execute("set timezone = 'UTC'")
        connection.register("quarantined", table.scan().read_all())
        yield dataset, _query_function(connection)


def _query_function(connection: duckdb.DuckDBPyConnection) -> Any:
    def query(text: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        cursor = connection.execute(text, parameters or {})
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return query
