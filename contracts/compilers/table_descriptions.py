"""The tables that a contract makes, as it describes them: names, columns, comments, what is never null."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contracts.compilers import hash_keys, vault_sql
from contracts.compilers.engine_columns import AUDITED, BATCH, CAPTURED, HASH, REJECTED, VALIDITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.model.contract import Column, Contract, Hub


@dataclass(frozen=True)
class Described:
    """One column of a table: its Spark type, its comment, whether it is never null.

    `of` is the contract's own column behind it, None for one of the engine.
    """

    name: str
    type: str
    comment: str = ""
    required: bool = False
    of: Column | None = None


@dataclass(frozen=True)
class TableDescription:
    """One table or view that a contract makes; `kind` says what a row is to the engine."""

    layer: str
    table: str
    kind: str
    comment: str
    columns: tuple[Described, ...]
    dataset: str
    file: str
    version: str
    is_view: bool = False

    @property
    def name(self) -> str:
        """Return the SQL name."""
        return f"{self.layer}.{self.table}"

    @property
    def comments(self) -> dict[str, str]:
        """Return the comments by column."""
        return {column.name: column.comment for column in self.columns if column.comment}

    @property
    def required(self) -> frozenset[str]:
        """Return the columns that are never null."""
        return frozenset(column.name for column in self.columns if column.required)


def tables(contract: Contract) -> list[TableDescription]:
    """Return the tables and views that one contract makes, from bronze to platinum."""
    if contract.score or contract.enrich:
        return [platinum(contract)]
    if not contract.capture and contract.vault is None:
        return []
    made = [bronze(contract)]
    if contract.vault is None:
        return made
    made += [hub(contract, declared) for declared in contract.vault.hubs]
    if contract.vault.link and contract.vault.historized:
        made.append(link(contract))
    made += [events(contract), quarantine(contract)]
    if contract.vault.historized:
        made += [_history(contract), _current(contract)]
    return made


def by_name(contracts: Iterable[Contract]) -> dict[str, TableDescription]:
    """Return the tables and views of a domain by SQL name; a shared hub is the first contract's."""
    named: dict[str, TableDescription] = {}
    for contract in contracts:
        for table in tables(contract):
            named.setdefault(table.name, table)
    return named


def bronze(contract: Contract) -> TableDescription:
    """Return the table of rows as they came, change by change."""
    payload = [_column(column) for column in contract.columns]
    own = [Described(name, kind, text, name == "_batch") for name, kind, text in CAPTURED]
    return _table(contract, "bronze", contract.dataset, "bronze", _subject(contract), payload + own)


def hub(contract: Contract, declared: Hub) -> TableDescription:
    """Return the table of a hub's business keys; the ghost row has none, so they may be null."""
    subject = declared.name.replace("_", " ")
    # Several datasets share a hub, so the comment on its key fits them all.
    members = [
        Described(
            member,
            contract.column(column).type,
            f"Business key of the {subject}.",
            of=contract.column(column),
        )
        for column, member in zip(declared.columns, declared.members, strict=True)
    ]
    columns = [_hash(f"{declared.name}_hk"), *members, Described("_batch", "bigint", BATCH, True)]
    comment = f"One row is one {subject} that any dataset named."
    return _table(contract, "silver", f"hub_{declared.name}", "hub", comment, columns)


def link(contract: Contract) -> TableDescription:
    """Return the table of the combinations of hub members."""
    assert contract.vault is not None
    keys = [f"{contract.vault.link}_hk", *hash_keys.hub_keys(contract)]
    dependent = [
        replace(_column(contract.column(column)), required=False)
        for column in contract.vault.dependent
    ]
    columns = [*map(_hash, keys), *dependent, Described("_batch", "bigint", BATCH, True)]
    comment = f"One row is one combination of {', '.join(h.name for h in contract.vault.hubs)}."
    return _table(contract, "silver", f"lnk_{contract.vault.link}", "link", comment, columns)


def events(contract: Contract) -> TableDescription:
    """Return the table of good events, one row each.

    Never null is what the gate makes or always demands: hash keys, operation, batch, and the
    primary key. A payload column may be null: a delete carries its key only.
    """
    assert contract.vault is not None
    named = {column.name: column for column in contract.columns}
    columns: list[Described] = []
    for name in vault_sql.events_columns(contract):
        if name in named:
            columns.append(replace(_column(named[name]), required=bool(named[name].key)))
        elif name in AUDITED:
            kind, text = AUDITED[name]
            columns.append(Described(name, kind, text, name in ("_op", "_batch")))
        else:
            columns.append(_hash(name))
    comment = f"{_subject(contract)} Here a row is one event of it."
    return _table(contract, "silver", contract.vault.events, "events", comment, columns)


def quarantine(contract: Contract) -> TableDescription:
    """Return the table of rejected rows."""
    columns = [Described(name, kind, text, name == "_batch") for name, kind, text in REJECTED]
    table, comment = f"{contract.dataset}_quarantine", "One row is one row that the gate rejected."
    return _table(contract, "silver", table, "quarantine", comment, columns)


def platinum(contract: Contract) -> TableDescription:
    """Return the table that a contract's model or enrichment writes."""
    columns = [replace(_column(column), required=column.required) for column in contract.columns]
    batch = Described("_batch", "bigint", BATCH, True)
    table = (contract.score or contract.enrich)["table"]
    kind = "score" if contract.score else "inference"
    return _table(contract, "platinum", table, kind, _subject(contract), [*columns, batch])


def _history(contract: Contract) -> TableDescription:
    base, spans = events(contract), [Described(*column) for column in VALIDITY]
    if contract.keyless:
        spans.insert(0, Described("copies", "bigint", "How many equal rows there were."))
    comment = f"{_subject(contract)} Here a row is one span in which it did not change."
    return replace(
        base, table=f"{base.table}_history", kind="history", comment=comment, is_view=True,
        columns=(*_nullable(base), *spans),
    )  # fmt: skip


def _current(contract: Contract) -> TableDescription:
    base = events(contract)
    return replace(
        base, table=f"{base.table}_current", kind="current", is_view=True,
        comment=f"{_subject(contract)} Here as it stands.",
        columns=_nullable(base),
    )  # fmt: skip


def _nullable(base: TableDescription) -> tuple[Described, ...]:
    return tuple(replace(column, required=False) for column in base.columns)


def _table(
    contract: Contract, layer: str, table: str, kind: str, comment: str, columns: list[Described]
) -> TableDescription:
    return TableDescription(
        layer=layer,
        table=f"{contract.domain}__{table}",
        kind=kind,
        comment=comment,
        columns=tuple(columns),
        dataset=contract.dataset,
        file=contract.file,
        version=contract.version,
    )


def _subject(contract: Contract) -> str:
    return contract.description or contract.dataset.replace("_", " ")


def _column(column: Column) -> Described:
    unit = f" [{column.unit}]" if column.unit else ""
    personal = f" ({column.classification})" if column.classification else ""
    return Described(
        column.name, column.type, f"{column.description}{unit}{personal}".strip(), of=column
    )


def _hash(name: str) -> Described:
    return Described(name, "binary", HASH, True)
