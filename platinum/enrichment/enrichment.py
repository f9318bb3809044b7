"""Inference jobs: texts without a vector are embedded, each paid for once, in a few commits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from contracts.compilers import table_descriptions as describe
from contracts.parsing.load import load_domain
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.layers import PLATINUM
from lakehouse.runs.ledger import Ledger, Step
from lakehouse.runs.lock import lock_domain
from lakehouse.storage.append import append_arrow
from lakehouse.storage.table_log import bookmark
from lakehouse.storage.tables import Tables
from platinum.enrichment.texts import Job, current, pending
from platinum.enrichment.vectors import Identity, Spool, as_lists, stored
from platinum.inference import Embedder, EmbeddingModel, embedder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakehouse.runs.ledger import Run
    from lakehouse.settings import Settings


@dataclass
class Counts:
    """What one call wrote: rows, texts that were embedded for them, commits."""

    rows: int = 0
    embedded: int = 0
    commits: int = 0


def enrich(
    settings: Settings,
    domain: str,
    *,
    limit: int | None = None,
    progress: Callable[..., None] | None = None,
) -> dict[str, Any]:
    """Embed the current texts of the domain's jobs that have no vector; return a summary by job.

    `limit` is the most rows a job writes in this call. What was embedded before is not embedded
    again, whether it was committed or the call before was killed.

    Raises:
        UsageError: no contract declares a job, its source is not there, or the backend is wrong.
        LakehouseError: the backend returned no usable result; vectors received before are kept.
    """
    contracts = load_domain(settings.contracts, domain)
    jobs = [Job.of(contract, contracts) for contract in contracts.values() if contract.enrich]
    if not jobs:
        raise UsageError(f"domain '{domain}' declares no inference: add a contract with `enrich`")
    report = progress or (lambda *_: None)
    with lock_domain(settings.home, f"{domain}-enrich", "enrich"):
        return {job.contract.dataset: _run_job(settings, job, limit, report) for job in jobs}


def _run_job(
    settings: Settings, job: Job, limit: int | None, progress: Callable[..., None]
) -> dict[str, Any]:
    start, tables, declared = time.monotonic(), Tables.at(settings), job.contract.enrich
    identity = Identity.of(declared)
    application = f"{job.source}/{identity.digest}"
    results = tables.open(job.results)
    counts = Counts()
    summary = {"table": str(job.results), "run": 0, "backend": _redacted(settings.inference)}
    done_to = bookmark(results, application)
    if done_to is not None and done_to == tables.version(job.source):
        return summary | _figures(counts, 0, 0, 0, start)
    texts, empty, version = current(tables, job)
    todo, embedded = pending(results, job, texts, identity)
    chosen = todo if limit is None else todo.slice(0, limit)
    if chosen.num_rows:
        model = EmbeddingModel(declared["model"], declared["version"], declared["dimensions"])
        backend = embedder(settings.inference, model)
        spool = Spool(
            settings.home / "spool" / job.contract.domain / job.contract.dataset, identity
        )
        with Ledger(tables).run(job.contract.domain, "enrich", (PLATINUM,)) as run:
            summary["run"] = run.number
            writer = Writer(tables, job, identity, backend, spool, embedded, run, counts, progress)
            upstream = (application, version) if chosen.num_rows == todo.num_rows else None
            writer.write(chosen, upstream)
            run.record(_step(run, job, counts, version, time.monotonic() - start))
    left = todo.num_rows - chosen.num_rows
    return summary | _figures(counts, texts.num_rows - todo.num_rows, left, empty, start)


def _figures(counts: Counts, already: int, left: int, empty: int, start: float) -> dict[str, Any]:
    return {
        "rows": counts.rows,
        "embedded": counts.embedded,
        "shared": counts.rows - counts.embedded,
        "already": already,
        "left": left,
        "without_text": empty,
        "commits": counts.commits,
        "seconds": time.monotonic() - start,
    }


def _redacted(backend: str) -> str:
    """Return the backend's setting without the user, password and query that a URL may have."""
    return backend.split("?", maxsplit=1)[0].rpartition("@")[2]


@dataclass
class Writer:
    """Embeds and commits the pending rows of one job."""

    tables: Tables
    job: Job
    identity: Identity
    backend: Embedder
    spool: Spool
    embedded: set[str]
    run: Run
    counts: Counts
    progress: Callable[..., None]
    spooled: dict[str, np.ndarray] = field(default_factory=dict)

    def write(self, rows: pa.Table, upstream: tuple[str, int] | None) -> None:
        """Commit the rows in parts; the last one also records how far the source was read."""
        total, self.spooled = rows.num_rows, self.spool.read()
        for part in parts(rows, self.job.contract.enrich["commitRows"]):
            self.progress(f"{self.job.contract.dataset}: embedding", self.counts.rows, total)
            whole = self.counts.rows + part.num_rows == total
            values = self._vectors(part)
            self._commit(part, values, upstream if whole else None)
            self.counts.rows += part.num_rows
            self.counts.commits += 1
        if upstream is not None:
            self.spool.clear()

    def _vectors(self, part: pa.Table) -> dict[str, np.ndarray]:
        """Return the vectors of a part by text hash: stored ones looked up, others embedded."""
        texts = dict(zip(part["text_hash"].to_pylist(), part["text"].to_pylist(), strict=True))
        by_hash = {key: self.spooled[key] for key in texts if key in self.spooled}
        in_table = [key for key in texts if key in self.embedded and key not in by_hash]
        results = self.tables.open(self.job.results) if in_table else None
        if results is not None:
            by_hash |= stored(results, self.identity, in_table)
        missing = iter([key for key in texts if key not in by_hash])
        while keys := list(islice(missing, self.job.contract.enrich["batch"])):
            vectors = self._checked(self.backend.embed([texts[key] for key in keys]), len(keys))
            self.spool.add(keys, vectors)
            by_hash.update(zip(keys, vectors, strict=True))
            self.counts.embedded += len(keys)
        return by_hash

    def _checked(self, vectors: np.ndarray, count: int) -> np.ndarray:
        """Return the vectors, normalised where that is declared; refuse another shape."""
        declared = self.job.contract.enrich
        wanted = (count, declared["dimensions"])
        if vectors.shape != wanted:
            raise LakehouseError(
                f"{declared['model']} returned {vectors.shape[-1]} dimensions for {vectors.shape[0]} texts, "
                f"not {wanted[1]} for {wanted[0]}: contract {self.job.contract.file} names another model"
            )
        if not declared["normalize"]:
            return vectors
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1)

    def _commit(
        self, part: pa.Table, vectors: dict[str, np.ndarray], upstream: tuple[str, int] | None
    ) -> None:
        hashes, count = part["text_hash"].to_pylist(), part.num_rows
        now = pa.scalar(datetime.now(UTC), pa.timestamp("us", tz="UTC"))
        columns = {name: part[name] for name in self.job.key} | {
            "text_hash": pa.array(hashes, pa.string()),
            "text": part["text"].cast(pa.string()),
            "embedding": as_lists(np.stack([vectors[key] for key in hashes])),
            "model": pa.array([self.identity.model] * count),
            "model_version": pa.array([self.identity.version] * count),
            "parameters_hash": pa.array([self.identity.parameters] * count),
            "embedded_at": pa.array([now.as_py()] * count, now.type),
            "_batch": pa.array([self.run.number] * count, pa.int64()),
        }
        append_arrow(
            self.tables, self.job.results, pa.table(columns),
            idempotency_key=upstream, described=describe.platinum(self.job.contract),
        )  # fmt: skip


def parts(rows: pa.Table, size: int) -> Iterator[pa.Table]:
    """Yield the rows in parts of about `size`; rows with one text stay together."""
    hashes, start = rows["text_hash"].to_pylist(), 0
    while start < len(hashes):
        end = min(start + size, len(hashes))
        while end < len(hashes) and hashes[end] == hashes[end - 1]:
            end += 1
        yield rows.slice(start, end - start)
        start = end


def _step(run: Run, job: Job, counts: Counts, version: int, seconds: float) -> Step:
    return Step(
        run=run.number,
        domain=run.domain,
        layer="platinum",
        table=str(job.results),
        input=counts.rows,
        valid=counts.rows,
        written=counts.rows,
        seconds=seconds,
        upstream=str(job.source),
        version_to=version,
        contract_version=job.contract.version,
    )
