"""The static embeddings that ship in the `wordllama` wheel: mean of a text's token vectors."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lakehouse.errors import UsageError
from platinum.inference import EmbeddingModel

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG, DIMENSIONS = "l2_supercat", 256
MODEL = EmbeddingModel("wordllama-l2-supercat", str(DIMENSIONS), DIMENSIONS)


def backend(_: str, model: EmbeddingModel) -> CpuEmbedder:
    """Return the backend for `cpu`; raise UsageError for another model than the wheel's."""
    require(model)
    return CpuEmbedder(model.dimensions)


def require(model: EmbeddingModel) -> None:
    """Raise UsageError unless the model is the one in the wheel."""
    if model != MODEL:
        raise UsageError(
            f"the wheel has {MODEL.name} {MODEL.version}, not {model.name} {model.version} with "
            f"{model.dimensions} dimensions: set LAKEHOUSE_INFERENCE to the URL of a server that has it"
        )


class CpuEmbedder:
    """Embeds on the CPU, without a network."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row a text; a text without a known token is the zero vector."""
        # Texts of like length together: each batch is padded to its longest.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        if order:
            vectors[order] = loaded(self.dimensions).embed([texts[place] for place in order])
        return vectors


@lru_cache(maxsize=1)
def loaded(dimensions: int) -> Any:
    """Return the model with its tokenizer and its table, `embedding`; loaded once a process."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    import wordllama

    # The package configures the root logger when it is imported.
    root.setLevel(level)
    root.handlers[:] = handlers
    return wordllama.WordLlama.load(
        CONFIG,
        cache_dir=Path(wordllama.__file__).parent,
        dim=dimensions,
        disable_download=True,
    )
