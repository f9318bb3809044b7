"""A server with OpenAI's `/v1/embeddings`: called in batches, with timeouts and retries."""

from __future__ import annotations

import ipaddress
import json
import os
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import tenacity

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platinum.inference import EmbeddingModel

ATTEMPTS = 5
TIMEOUT_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 60.0
# The environment variable of the server's key
KEY = "LAKEHOUSE_INFERENCE_KEY"
# Statuses after which another attempt may succeed; every other refusal is final.
TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


def backend(url: str, model: EmbeddingModel) -> ServerEmbedder:
    """Return the backend for the URL of a server, with the key of the environment."""
    return ServerEmbedder(url, model.name, key=os.environ.get(KEY, ""))


class _TransientError(Exception):
    """A failure after which another attempt may succeed; `wait` is the server's `Retry-After`."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would take the key along to wherever it leads."""

    def redirect_request(self, *_: Any) -> None:
        """Return nothing, so that the redirect is an error."""


class ServerEmbedder:
    """Embeds by a server; the key goes into one header and nowhere else.

    `url` is the server's root or its `/v1`; `pause` is the first wait in seconds, doubled at each
    further attempt.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str = "",
        timeout: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
        pause: float = 0.5,
    ) -> None:
        root = url.rstrip("/").removesuffix("/embeddings").removesuffix("/v1")
        self._url, self._model, self._key = f"{root}/v1/embeddings", model, key
        self._timeout = timeout
        backoff = tenacity.wait_random_exponential(multiplier=pause, max=LONGEST_WAIT_SECONDS)
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TransientError),
            stop=tenacity.stop_after_attempt(attempts),
            wait=lambda state: max(backoff(state), _retry_after(state)),
            reraise=True,
        )
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if _is_local(self._url):
            # A proxy set for the network at large does not reach this machine's own servers.
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row a text; raise LakehouseError when no usable response comes back."""
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        try:
            return self._retrying(self._attempt, list(texts))
        except _TransientError as error:
            raise LakehouseError(
                f"{self._url}: no usable response after {self._retrying.statistics['attempt_number']} "
                f"attempts: {error}; the vectors received are kept, run again to continue"
            ) from None

    def _attempt(self, texts: list[str]) -> np.ndarray:
        payload = {"model": self._model, "input": texts, "encoding_format": "float"}
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked where the setting is read
            self._url, json.dumps(payload).encode(), headers
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return _vectors(json.load(response), len(texts))
        except urllib.error.HTTPError as error:
            status = f"status {error.code} {error.reason}"
            if error.code in TRANSIENT:
                raise _TransientError(status, _seconds(error.headers.get("Retry-After"))) from None
            body = error.read(300).decode(errors="replace")
            detail = body.replace(self._key, "***") if self._key else body
            raise LakehouseError(f"{self._url}: {status}: {detail}") from None
        except (OSError, HTTPException) as error:
            raise _TransientError(
                str(getattr(error, "reason", error)) or type(error).__name__
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise _TransientError(f"the response is no list of vectors ({error})") from None


def _vectors(response: Any, count: int) -> np.ndarray:
    """Return the vectors in the order of the texts; raise ValueError for anything else."""
    items = sorted(response["data"], key=lambda item: item["index"])
    if [item["index"] for item in items] != list(range(count)):
        raise ValueError(f"{len(items)} vectors for {count} texts")
    vectors = np.array([item["embedding"] for item in items], dtype=np.float32)
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError("vectors of unequal length, or not finite")
    return vectors


def _retry_after(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.wait if isinstance(error, _TransientError) else 0.0


def _seconds(text: str | None) -> float:
    return min(float(text), LONGEST_WAIT_SECONDS) if text and text.isdigit() else 0.0


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
