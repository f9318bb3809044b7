"""Inference backends: what turns texts into vectors, found by the kind that LAKEHOUSE_INFERENCE names.

A backend is a module with a function `backend(setting, model)` that returns an `Embedder`, and a line
of `BACKENDS`; see docs/extend.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

# Kind of the setting: all of it, or the scheme of a URL -> module. A module is imported when it is
# chosen, so that none needs what another is built on.
BACKENDS = {
    "cpu": "platinum.inference.wordllama",
    "cuda": "platinum.inference.cuda",
    "http://": "platinum.inference.server",
    "https://": "platinum.inference.server",
}


@dataclass(frozen=True)
class EmbeddingModel:
    """The model that a contract's `enrich` names; `dimensions` is the length of its vectors."""

    name: str
    version: str
    dimensions: int


class Embedder(Protocol):
    """Turns texts into vectors."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row a text, float32; raise LakehouseError where no usable result comes back."""
        ...


def embedder(setting: str, model: EmbeddingModel) -> Embedder:
    """Return the backend that the setting names, ready to embed by the model.

    Raises:
        UsageError: no such backend, or it does not have the model.
    """
    kind = "".join(setting.partition("://")[:2])
    if kind not in BACKENDS:
        raise UsageError(
            f"LAKEHOUSE_INFERENCE is '{setting}': no such backend, there are {', '.join(BACKENDS)}"
        )
    return import_module(BACKENDS[kind]).backend(setting, model)
