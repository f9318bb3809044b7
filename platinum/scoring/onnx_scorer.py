"""Scores of an ONNX model, for a matrix or, in Spark's workers, for Arrow batches."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCORE, SCORED_AT = "score", "scored_at"
_sessions: dict[str, Any] = {}


def probabilities(onnx: bytes, features: np.ndarray) -> np.ndarray:
    """Return the probability of the positive class of each row, as float32."""
    outputs = _session(onnx).run(["probabilities"], {"features": features.astype(np.float32)})
    return outputs[0][:, 1]


def score_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    onnx: bytes,
    columns: tuple[str, ...],
    copied: tuple[str, ...],
) -> Iterator[pa.RecordBatch]:
    """Yield the `copied` columns of each batch with the score and the instant it was given."""
    for batch in batches:
        if batch.num_rows == 0:
            continue
        features = np.column_stack([_float32(batch.column(name)) for name in columns])
        scores = probabilities(onnx, features)
        now = pa.scalar(datetime.now(UTC), pa.timestamp("us", tz="UTC"))
        yield pa.RecordBatch.from_arrays(
            [
                *[batch.column(name) for name in copied],
                pa.array(scores, pa.float64()),
                pa.array([now.as_py()] * batch.num_rows, now.type),
            ],
            names=[*copied, SCORE, SCORED_AT],
        )


def _float32(values: pa.Array) -> np.ndarray:
    return values.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)


def _session(onnx: bytes) -> Any:
    """Return the session of a model, loaded once a process, on one thread."""
    key = _digest(onnx)
    if key not in _sessions:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        _sessions[key] = onnxruntime.InferenceSession(
            onnx, options, providers=["CPUExecutionProvider"]
        )
    return _sessions[key]


@lru_cache(maxsize=4)
def _digest(onnx: bytes) -> str:
    return hashlib.sha256(onnx).hexdigest()
