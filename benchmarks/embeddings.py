"""Texts embedded by CPU and by GPU: `python -m benchmarks.embeddings FILE`, a text a line.

Needs the model's wheel, and PyTorch where there is a GPU, and nothing else of the project's.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import write
from lakehouse.errors import UsageError
from platinum.inference import wordllama
from platinum.inference.cuda import CudaEmbedder

if TYPE_CHECKING:
    from platinum.inference import Embedder

RUNS = 5
BATCHES = (256, 4_096, 65_536)


def embeddings(texts: list[str]) -> dict[str, Any]:
    """Return texts a second by backend and batch, and how far the backends' vectors lie apart."""
    size = wordllama.DIMENSIONS
    cpu: Embedder = wordllama.CpuEmbedder(size)
    figures: dict[str, Any] = {"texts": len(texts), "model": wordllama.MODEL.name, "runs": RUNS}
    figures["cpu"] = {str(batch): _rate(cpu, texts, batch) for batch in BATCHES}
    try:
        gpu = CudaEmbedder(size)
    except UsageError as error:
        return figures | {"cuda": str(error)}
    figures["gpu"] = gpu.device
    figures["cuda"] = {str(batch): _rate(gpu, texts, batch) for batch in BATCHES}
    figures["tokens_only"] = {str(batch): _rate(_Tokens(), texts, batch) for batch in BATCHES}
    figures["greatest_difference"] = float(np.abs(gpu.embed(texts) - cpu.embed(texts)).max())
    return figures


class _Tokens:
    """What both backends do on the CPU before they look anything up."""

    def embed(self, texts: list[str]) -> None:
        wordllama.loaded(wordllama.DIMENSIONS).tokenize(list(texts))


def _rate(backend: Any, texts: list[str], batch: int) -> int:
    """Return the median texts a second of some runs; the first one is not counted."""
    seconds = []
    for _ in range(RUNS + 1):
        start = time.monotonic()
        for first in range(0, len(texts), batch):
            backend.embed(texts[first : first + batch])
        seconds.append(time.monotonic() - start)
    return round(len(texts) / median(seconds[1:]))


def main() -> None:
    """Measure the texts of a file and write the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.embeddings", description=__doc__)
    parser.add_argument("file", type=Path)
    texts = parser.parse_args().file.read_text(encoding="utf-8").splitlines()
    path = write("embeddings", embeddings(texts))
    print(path.read_text())


if __name__ == "__main__":
    main()
