"""The wheel's table of vectors on a GPU, as a torch embedding bag: the same results as on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lakehouse.errors import UsageError
from platinum.inference.wordllama import loaded, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platinum.inference import EmbeddingModel


def backend(_: str, model: EmbeddingModel) -> CudaEmbedder:
    """Return the backend for `cuda`; raise UsageError for another model, or without a GPU."""
    require(model)
    return CudaEmbedder(model.dimensions)


class CudaEmbedder:
    """Embeds on a GPU; equal to the CPU's vectors but for the order in which floats are added.

    Raises:
        UsageError: torch is not installed, or sees no GPU.
    """

    def __init__(self, dimensions: int) -> None:
        try:
            import torch  # pyright: ignore[reportMissingImports] - never a default dependency
        except ModuleNotFoundError:
            raise UsageError(
                "LAKEHOUSE_INFERENCE is cuda, but torch is not installed: "
                "`uv pip install torch`, or set it to cpu"
            ) from None
        if not torch.cuda.is_available():
            raise UsageError(
                "LAKEHOUSE_INFERENCE is cuda, but torch sees no GPU here: set it to cpu"
            )
        model = loaded(dimensions)
        self.device: str = torch.cuda.get_device_name()
        self._torch, self._tokenizer = torch, model
        table = torch.from_numpy(np.ascontiguousarray(model.embedding)).cuda()
        self._bag = torch.nn.EmbeddingBag.from_pretrained(table, freeze=True, mode="mean")

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row a text; a text without a known token is the zero vector."""
        torch, last = self._torch, self._bag.num_embeddings - 1
        tokens = [
            [token for token, real in zip(text.ids, text.attention_mask, strict=True) if real]
            for text in (self._tokenizer.tokenize(list(texts)) if texts else [])
        ]
        starts = np.cumsum([0, *[len(text) for text in tokens[:-1]]]) if tokens else np.zeros(0)
        flat = np.array([min(token, last) for text in tokens for token in text], dtype=np.int64)
        with torch.inference_mode():
            vectors = self._bag(
                torch.from_numpy(flat).cuda(), torch.from_numpy(starts.astype(np.int64)).cuda()
            )
        return vectors.cpu().numpy().astype(np.float32)
