"""Rows without a key: equal rows are copies of one content, and events count them up and down.

An insert adds a copy, a delete takes one away, an update does both under two contents. A truncate
takes all away. Copies are a sum, so what is written does not depend on the order of arrival.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.sql import name

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a row of the history has of the event at its place
_EVENT = ("_op", "_sequence", "_source_ts", "_origin", "_flags", "_batch")
DELTA = "case when _op = 'd' then -1 else 1 end"


def history_view(columns: Sequence[str], key: str, events: str) -> str:
    """Return the query of the history: one row a content and span in which its copies were as many.

    `copies` is how many equal rows there were; a span with none is deleted.
    """
    order = f"over (partition by {key} order by _sequence)"
    contents = [column for column in columns if column not in _EVENT and name(column) != key]
    packed = ", ".join(f"any_value({name(column)}) as {name(column)}" for column in contents)
    latest = ", ".join(f"max_by({column}, _op) as {column}" for column in _EVENT[2:])
    return f"""
        with changes as (
            select *, {DELTA} as _delta, false as _emptied from {events} where _op <> 't'
        ),
        emptied as (
            select {", ".join(_of_truncate(column) for column in columns)}, 0 as _delta, true as _emptied
            from (
                select {key}, {", ".join(f"any_value({name(c)}) as {name(c)}" for c in contents)},
                    min(_sequence) as _first
                from changes group by {key}
            ) as content
            join (select * from {events} where _op = 't') as truncated
                on content._first < truncated._sequence
        ),
        places as (
            select {key}, _sequence, sum(_delta) as _delta, bool_or(_emptied) as _emptied,
                {packed}, max(_op) as _op, {latest}
            from (
                select {", ".join(map(name, columns))}, _delta, _emptied from changes
                union all select * from emptied
            )
            group by {key}, _sequence
        ),
        epochs as (
            select *, count_if(_emptied) {order} as _epoch, max(_source_ts) {order} as valid_from
            from places
        ),
        counted as (
            select *, sum(_delta) over (partition by {key}, _epoch order by _sequence) as _sum
            from epochs
        ),
        spans as (
            select *, greatest(_sum, 0) as copies, lag(greatest(_sum, 0), 1, 0) {order} as _before
            from counted
        ),
        folded as (select * from spans where copies <> _before)
        select {", ".join(map(name, columns))}, copies,
            valid_from,
            lead(valid_from) {order} as valid_to,
            lead(valid_from) {order} is null as is_current,
            copies = 0 as is_deleted
        from folded
    """


def _of_truncate(column: str) -> str:
    return f"{'truncated' if column in _EVENT else 'content'}.{name(column)}"


def current_view(columns: Sequence[str], key: str, events: str) -> str:
    """Return the query of the current rows: each content as often as it has copies."""
    rest = [column for column in columns if name(column) != key]
    packed = ", ".join(name(column) for column in rest)
    unpacked = ", ".join(f"_latest.{name(column)} as {name(column)}" for column in rest)
    return f"""
        with counted as (
            select {key}, cast(sum({DELTA}) as bigint) as _copies, max_by(struct({packed}), _sequence) as _latest
            from {events}
            where _op <> 't' and _sequence > (
                select coalesce(max(_sequence), '') from {events} where _op = 't'
            )
            group by {key}
        )
        select {key}, {unpacked}
        from counted lateral view explode(sequence(1, _copies)) as _copy
        where _copies > 0
    """
