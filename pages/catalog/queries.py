"""Sample queries of a dataset; none reads a personal column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.model.contract import Contract

COLUMNS_SHOWN = 6


def of_contract(contract: Contract) -> list[dict[str, str]]:
    """Return titled queries of a dataset: now, as of an instant, by run, and rejected rows."""
    if contract.features:
        return _of_features(contract)
    if contract.score or contract.enrich:
        declared = contract.score or contract.enrich
        return of_model(f"platinum.{contract.domain}__{declared['table']}", _plain(contract))
    vault = contract.vault
    if vault is None:
        return of_model(f"bronze.{contract.domain}__{contract.dataset}", _plain(contract))
    columns, events = (
        ", ".join(_plain(contract)[:COLUMNS_SHOWN]),
        f"silver.{contract.domain}__{vault.events}",
    )
    queries = []
    if vault.historized:
        at = "current_timestamp() - interval 7 days"
        span = f"valid_from <= {at} and (valid_to is null or valid_to > {at})"
        queries += [
            _sql("As it stands", f"select {columns} from {events}_current limit 10"),
            _sql(
                "As it stood a week ago",
                f"select {columns} from {events}_history where {span} and not is_deleted limit 10",
            ),
        ]
    else:
        queries.append(_sql("Rows", f"select {columns} from {events} limit 10"))
    rejected = f"silver.{contract.domain}__{contract.dataset}_quarantine"
    reasons = "explode(failures) as failed"
    queries += [
        _sql(
            "Changes by run",
            f"select _batch, _op, count(*) as events from {events} group by _batch, _op",
        ),
        _sql(
            "Why rows were rejected",
            f"select failed.column, failed.rule, count(*) as rows from {rejected} "
            f"lateral view {reasons} group by failed.column, failed.rule",
        ),
    ]
    return queries


def of_model(table: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return a query of a table that has no history of its own."""
    chosen = [name for name in columns if not name.startswith("_")][:COLUMNS_SHOWN]
    return [_sql("Rows", f"select {', '.join(chosen)} from {table} limit 10")]


def _of_features(contract: Contract) -> list[dict[str, str]]:
    declared: dict[str, Any] = contract.features
    entity = ",".join(declared["entity"])
    pull = f"lakehouse features pull {contract.dataset} --domain {contract.domain} --entities entities.csv --out features.parquet"
    table = f"gold.{contract.domain}__{declared['table']}"
    return [
        {"title": f"As known at each instant of a file with {entity},timestamp", "text": pull},
        *of_model(table, _plain(contract)),
    ]


def _plain(contract: Contract) -> list[str]:
    """Return the columns that are not personal, the key first, without hash keys."""
    named = [*contract.keys, *(name for name in contract.names if name not in contract.keys)]
    return [
        name
        for name in named
        if not contract.column(name).is_personal and contract.column(name).type != "binary"
    ]


def _sql(title: str, query: str) -> dict[str, str]:
    return {"title": title, "text": f'lakehouse sql "{query}"'}
