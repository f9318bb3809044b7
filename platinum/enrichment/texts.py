"""The texts of an inference job: one row is one current key of the source and its text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.engine import duckdb
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deltalake import DeltaTable

    from contracts.model.contract import Contract
    from lakehouse.storage.tables import Tables
    from platinum.enrichment.vectors import Identity


@dataclass(frozen=True)
class Job:
    """One `enrich` declaration with the names it stands for."""

    contract: Contract
    source: TableName
    results: TableName
    key: tuple[str, ...]

    @classmethod
    def of(cls, contract: Contract, contracts: Mapping[str, Contract]) -> Job:
        """Return the job of a contract; its source is the events table of the source's vault."""
        dataset = contract.enrich["source"]
        source = contracts.get(dataset)
        if source is None or source.vault is None:
            raise LakehouseError(f"{contract.file}: enrich: no dataset '{dataset}' with a vault")
        return cls(
            contract,
            TableName.of("silver", contract.domain, source.vault.events),
            TableName.of("platinum", contract.domain, contract.enrich["table"]),
            source.keys,
        )


def current(tables: Tables, job: Job) -> tuple[pa.Table, int, int]:
    """Return the current texts in their own order, the rows without any text, the source's version.

    Columns: the key, `text`, `text_hash` (SHA-256). A deleted key has no text.

    Raises:
        UsageError: the source does not exist yet.
    """
    table = tables.open(job.source)
    if table is None:
        raise UsageError(f"{job.source} does not exist yet: run the silver layer first")
    columns, case = job.contract.enrich["text"], job.contract.enrich["case"]
    keys = ", ".join(_quoted(name) for name in job.key)
    parts = [f"nullif(trim(cast(latest.{_quoted(name)} as varchar)), '')" for name in columns]
    text = f"concat_ws(', ', {', '.join(parts)})"
    packed = ", ".join(f"{_quoted(name)} := {_quoted(name)}" for name in (*columns, "_op"))
    query = f"""
        with states as (
            select {keys}, arg_max(struct_pack({packed}), _sequence) as latest
            from events group by {keys}
        )
        select {keys}, {f"{case}({text})" if case else text} as text
        from states where latest._op <> 'd' order by text, {keys}
    """
    wanted = list(dict.fromkeys((*job.key, *columns, "_op", "_sequence")))
    with duckdb.connection() as connection:
        connection.register("events", table.scan(wanted))
        rows = connection.sql(query).to_arrow_table()
    texts = rows.filter(pc.not_equal(rows["text"], ""))
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts["text"].to_pylist()]
    texts = texts.append_column("text_hash", pa.array(hashes, pa.string()))
    return texts, rows.num_rows - texts.num_rows, table.version()


def pending(
    results: DeltaTable | None, job: Job, texts: pa.Table, identity: Identity
) -> tuple[pa.Table, set[str]]:
    """Return the texts that are not their key's latest result, and the hashes that have a vector.

    A key whose text went from A to B and back is pending again, so that its newest row always is
    the one in force; its vector exists already.
    """
    if results is None:
        return texts, set()
    keys = [_quoted(name) for name in job.key]
    same = " and ".join(f"texts.{name} = latest.{name}" for name in keys)
    columns = [*job.key, "text_hash", "_batch"]
    with duckdb.connection() as connection:
        connection.register("texts", texts.append_column("_row", pa.array(range(len(texts)))))
        connection.register("rows", pa.table(results.scan(columns, identity.matches())))
        without_result = connection.sql(
            f"""
            with latest as (
                select {", ".join(keys)}, arg_max(text_hash, _batch) as text_hash
                from rows group by {", ".join(keys)}
            )
            select texts.* exclude (_row) from texts
            left join latest on {same}
            where latest.text_hash is distinct from texts.text_hash
            order by texts._row
            """
        ).to_arrow_table()
        stored = connection.sql("select distinct text_hash from rows").to_arrow_table()
    return without_result, set(stored["text_hash"].to_pylist())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
