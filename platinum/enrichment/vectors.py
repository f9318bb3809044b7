"""The vectors received so far: in the results table, or spooled until they are committed."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lakehouse.engine import duckdb
from lakehouse.storage.atomic_file import atomic_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from deltalake import DeltaTable


@dataclass(frozen=True)
class Identity:
    """What makes a vector what it is, besides its text."""

    model: str
    version: str
    parameters: str

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> Identity:
        """Return the identity that an `enrich` declaration names."""
        chosen = {name: declared[name] for name in ("dimensions", "normalize")}
        text = json.dumps(chosen, sort_keys=True)
        return cls(
            declared["model"], declared["version"], hashlib.sha256(text.encode()).hexdigest()
        )

    @property
    def digest(self) -> str:
        """Return the identity as 16 hexadecimal digits."""
        text = f"{self.model}\0{self.version}\0{self.parameters}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def matches(self) -> str:
        """Return the condition that selects this identity's rows of a results table."""
        pairs = {
            "model": self.model,
            "model_version": self.version,
            "parameters_hash": self.parameters,
        }
        return " and ".join(
            f"\"{name}\" = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in pairs.items()
        )


class Spool:
    """Vectors received and not committed yet: a file a call, complete or absent."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder = folder / identity.digest

    def add(self, hashes: Sequence[str], vectors: np.ndarray) -> None:
        """Keep the vectors of one call."""
        rows = pa.table({"text_hash": list(hashes), "embedding": as_lists(vectors)})
        with (
            atomic_file(self.folder / f"{uuid.uuid4().hex}.arrow") as partial,
            pa.OSFile(str(partial), "wb") as file,
            pa.ipc.new_file(file, rows.schema) as writer,
        ):
            writer.write_table(rows)

    def read(self) -> dict[str, np.ndarray]:
        """Return the kept vectors by text hash."""
        kept: dict[str, np.ndarray] = {}
        for path in sorted(self.folder.glob("*.arrow")):
            with pa.OSFile(str(path)) as file:
                rows = pa.ipc.open_file(file).read_all()
            vectors = as_matrix(rows["embedding"])
            kept.update(zip(rows["text_hash"].to_pylist(), vectors, strict=True))
        return kept

    def clear(self) -> None:
        """Remove the files: their vectors are committed."""
        shutil.rmtree(self.folder, ignore_errors=True)


def stored(table: DeltaTable, identity: Identity, hashes: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the vectors that a results table has for texts, by text hash."""
    wanted = pa.table({"text_hash": pa.array(hashes, pa.string())})
    with duckdb.connection() as connection:
        connection.register("wanted", wanted)
        connection.register("rows", table.scan(["text_hash", "embedding"], identity.matches()))
        vectors = connection.sql(
            "select text_hash, any_value(embedding) as embedding from rows "
            "semi join wanted using (text_hash) group by text_hash"
        ).to_arrow_table()
    return dict(zip(vectors["text_hash"].to_pylist(), as_matrix(vectors["embedding"]), strict=True))


def as_lists(vectors: np.ndarray) -> pa.Array:
    """Return the rows of a matrix as an Arrow list of floats each."""
    count, width = vectors.shape
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(vectors.astype(np.float32).ravel()))


def as_matrix(lists: pa.ChunkedArray) -> np.ndarray:
    """Return Arrow lists of one length as the rows of a matrix."""
    if len(lists) == 0:
        return np.zeros((0, 0), dtype=np.float32)
    flat = lists.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.astype(np.float32).reshape(len(lists), -1)
