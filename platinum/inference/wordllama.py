"""The static embeddings that ship in the `wordllama` wheel: mean of a text's token vectors."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL, CONFIG = "wordllama-l2-supercat", "l2_supercat"
DIMENSIONS = 256


def require(model: str, version: str, dimensions: int) -> None:
    """Raise UsageError unless the model asked for is the one in the wheel."""
    asked = (model, version, dimensions)
    if asked != (MODEL, str(DIMENSIONS), DIMENSIONS):
        raise UsageError(
            f"the wheel holds {MODEL} {DIMENSIONS}, not {model} {version} with {dimensions} dimensions: "
            "set LAKEHOUSE_INFERENCE to the URL of a server that does"
        )


class CpuEmbedder:
    """Embeds on the CPU, without a network."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row a text; a text without a known token is the zero vector."""
        # Texts of like length together: each batch is padded to its longest.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found = np.empty((len(texts), self.dimensions), dtype=np.float32)
        if order:
            found[order] = loaded(self.dimensions).embed([texts[place] for place in order])
        return found


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
