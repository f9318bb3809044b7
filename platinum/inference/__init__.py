"""Where vectors come from: the model in the wheel on CPU or GPU, or a server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

KEY = "LAKEHOUSE_INFERENCE_KEY"


class Embedder(Protocol):
    """Turns texts into vectors."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row a text, float32; raise LakehouseError where there is no answer."""
        ...


def embedder(backend: str, model: str, version: str, dimensions: int) -> Embedder:
    """Return the backend that a setting names: `cpu`, `cuda`, or the URL of a server.

    CPU and GPU hold one and the same table of vectors, so their results are one input's result.

    Raises:
        UsageError: no such backend, or it does not hold the model.
    """
    if backend in ("cpu", "cuda"):
        from platinum.inference import wordllama

        wordllama.require(model, version, dimensions)
        if backend == "cpu":
            return wordllama.CpuEmbedder(dimensions)
        from platinum.inference.cuda import CudaEmbedder

        return CudaEmbedder(dimensions)
    if backend.startswith(("http://", "https://")):
        from platinum.inference.server import ServerEmbedder

        return ServerEmbedder(backend, model, key=os.environ.get(KEY, ""))
    raise UsageError(f"LAKEHOUSE_INFERENCE is '{backend}': write cpu, cuda or the URL of a server")
