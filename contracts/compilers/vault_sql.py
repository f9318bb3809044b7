"""A contract's vault as SQL: the columns of its events, and the views of history, current rows and points in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.compilers import keyless_sql
from contracts.compilers.hash_keys import GHOST, hub_keys, parent_key
from contracts.sql import literal, name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.model.contract import Contract

AUDIT = ("_op", "_sequence", "_source_ts", "_origin", "_flags", "_batch")


def events_columns(contract: Contract) -> list[str]:
    """Return the columns of the events table in order."""
    keys = [*parent_key(contract), *hub_keys(contract)]
    return [*keys, *contract.names, "_hashdiff", *AUDIT]


def history_view(contract: Contract, events: str) -> str:
    """Return the query of a satellite's history: one row a span in which nothing changed.

    Events are put in the source's order; equal neighbours are folded, so A -> B -> A is three
    rows. Commit times may go back where the order goes on, so validity is their running maximum.
    """
    assert contract.vault is not None
    key = name(f"{contract.vault.parent}_hk")
    if contract.keyless:
        return keyless_sql.history_view(events_columns(contract), key, events)
    order = f"over (partition by {key} order by _sequence)"
    state = "case when _op = 'd' then null else _hashdiff end"
    return f"""
        with ordered as (
            select *,
                max(_source_ts) {order} as valid_from,
                {state} as _state,
                lag({state}) {order} as _state_before,
                row_number() {order} as _place
            from {events}
        ),
        folded as (
            select * from ordered where _place = 1 or not (_state <=> _state_before)
        )
        select {", ".join(name(column) for column in events_columns(contract))},
            valid_from,
            lead(valid_from) {order} as valid_to,
            lead(valid_from) {order} is null as is_current,
            _op = 'd' as is_deleted
        from folded
    """


def current_view(contract: Contract, events: str) -> str:
    """Return the query of a satellite's current rows: the latest event a key, deletes left out."""
    assert contract.vault is not None
    key = name(f"{contract.vault.parent}_hk")
    if contract.keyless:
        return keyless_sql.current_view(events_columns(contract), key, events)
    columns = [column for column in events_columns(contract) if name(column) != key]
    packed = ", ".join(name(column) for column in columns)
    unpacked = ", ".join(f"_latest.{name(column)} as {name(column)}" for column in columns)
    return f"""
        with latest as (
            select {key}, max_by(struct({packed}), _sequence) as _latest
            from {events} group by {key}
        )
        select {key}, {unpacked} from latest where _latest._op <> 'd'
    """


def point_in_time_view(hub: str, histories: dict[str, str]) -> str:
    """Return the query of a hub's point-in-time rows: one a hub key and instant of any change.

    `histories` maps each satellite of the hub to its history view; for each the row gives the
    `_sequence` of the event in force, null before the first.
    """
    key = name(f"{hub}_hk")
    spans = {sat: f"`{sat}_sequence`" for sat in histories}
    unions: list[str] = []
    for sat, view in histories.items():
        marks = ", ".join(
            f"{'_sequence' if other == sat else 'cast(null as string)'} as {column}"
            for other, column in spans.items()
        )
        unions.append(f"select {key}, valid_from, {marks} from {view}")
    order = f"over (partition by {key} order by valid_from range unbounded preceding)"
    carried = ", ".join(f"last_value({c}) ignore nulls {order} as {c}" for c in spans.values())
    return f"select distinct {key}, valid_from, {carried} from ({' union all '.join(unions)})"


def views(contracts: Iterable[Contract], domain: str) -> dict[str, tuple[str, list[str]]]:
    """Return every view of a domain's vault: name -> (query, tables or views it reads)."""
    queries: dict[str, tuple[str, list[str]]] = {}
    on_hub: dict[str, dict[str, str]] = {}
    for contract in contracts:
        if contract.vault is None or not contract.vault.historized:
            continue
        table = f"{domain}__{contract.vault.events}"
        events = f"silver.{name(table)}"
        queries[f"{table}_history"] = (history_view(contract, events), [table])
        queries[f"{table}_current"] = (current_view(contract, events), [table])
        if contract.vault.hubs and not contract.vault.link:
            on_hub.setdefault(contract.vault.parent, {})[contract.vault.events] = f"{table}_history"
    for hub, histories in on_hub.items():
        quoted = {sat: f"silver.{name(view)}" for sat, view in histories.items()}
        queries[f"{domain}__pit_{hub}"] = (
            point_in_time_view(hub, quoted),
            list(histories.values()),
        )
    return queries


def ghost_row(hub: str, columns: Iterable[str]) -> str:
    """Return the query of a hub's ghost row, to which unknown members point."""
    nulls = ", ".join(f"null as {name(column)}" for column in columns)
    return f"select {GHOST} as {name(hub + '_hk')}, {nulls}, {literal(0)}L as _batch"
