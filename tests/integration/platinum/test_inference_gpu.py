"""The GPU backend: refused where there is no GPU, and equal to the CPU's vectors where there is one.

Imports the backends only, so that it also runs where nothing but PyTorch and the model is installed:
`python -m pytest --noconftest tests/integration/platinum/test_inference_gpu.py`.
"""

import random

import numpy as np
import pytest

from lakehouse.errors import UsageError
from platinum.inference import cuda, embedder, wordllama

WORDS = [
    "red",
    "apple",
    "milk",
    "cream",
    "of",
    "tartar",
    "12",
    "oz.",
    "café",
    "☕",
    "あ",
    "\x00",
    "''",
]


def gpu_or_reason():
    """Return the backend, or the error with the reason why there is none."""
    try:
        return cuda.CudaEmbedder(wordllama.DIMENSIONS)
    except UsageError as error:
        return error


def texts(seed, count):
    """Return texts of nought to forty words, some of them no words at all."""
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(WORDS, k=chosen.randint(0, 40))) for _ in range(count)]


def test_a_missing_gpu_is_refused_before_anything_is_embedded():
    """Without PyTorch or a GPU the setting is refused, with what to do; else the backend is there."""
    gpu = gpu_or_reason()
    if isinstance(gpu, cuda.CudaEmbedder):
        made = embedder("cuda", wordllama.MODEL)
        assert isinstance(made, cuda.CudaEmbedder)
        return
    assert "LAKEHOUSE_INFERENCE is cuda" in str(gpu)
    assert "set it to cpu" in str(gpu)


@pytest.mark.parametrize("count", [0, 1, 3, 5_000])
def test_the_gpu_gives_the_cpus_vectors(count):
    """The same vector for each text, in order, whatever the batch; without a GPU, CPU beside itself.

    A text's vector must not depend on the texts it is embedded with.
    """
    given = texts(count, count)
    wanted = wordllama.CpuEmbedder(wordllama.DIMENSIONS)
    gpu = gpu_or_reason()
    other = wanted if isinstance(gpu, UsageError) else gpu
    vectors = other.embed(given)
    assert vectors.shape == (count, wordllama.DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, wanted.embed(given), atol=1e-5)
    alone = np.concatenate([other.embed([text]) for text in given[:20]] or [vectors])
    assert np.allclose(alone, vectors[:20], atol=1e-5)
