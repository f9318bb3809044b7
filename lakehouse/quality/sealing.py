"""Seals values with a key that lies outside the tables: without it a copy of a table reveals nothing.

AES-256 in Galois/counter mode (NIST SP 800-38D): a value that was changed, or moved to another
column, does not open. The key is `LAKEHOUSE_SEAL_KEY`, 32 bytes as base64; where that is not set, a
file below the home that only its owner may read, made at the first use.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from lakehouse.errors import LakehouseError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings

PREFIX = "sealed:"
KEY_BYTES, NONCE_BYTES = 32, 12
VARIABLE = "LAKEHOUSE_SEAL_KEY"


@dataclass(frozen=True)
class Seal:
    """One key and what is done with it."""

    key: bytes = field(repr=False)

    @classmethod
    def at(cls, settings: Settings) -> Self:
        """Return the seal of an installation; its key file is made where there is no key yet.

        Raises:
            UsageError: the variable holds no key, or the file is open to others.
        """
        given = settings.seal_key.get_secret_value()
        return cls(_decoded(given, VARIABLE) if given else _from_file(key_file(settings)))

    @property
    def name(self) -> str:
        """Return eight letters by which a sealed value names its key."""
        return self._derived("name").hex()[:8]

    def seal(self, text: str, place: str) -> str:
        """Return a value sealed for a place (`domain.dataset.column`), each time another text."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._derived("seal")).encrypt(nonce, text.encode(), place.encode())
        return f"{PREFIX}{self.name}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def unseal(self, text: str, place: str) -> str:
        """Return the value that was sealed for a place; raise LakehouseError where that fails."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not is_sealed(text):
            return text
        named, _, body = text.removeprefix(PREFIX).partition(":")
        if named != self.name:
            raise LakehouseError(
                f"{place} is sealed with the key {named}, and {VARIABLE} or the key file holds "
                f"{self.name}: set the variable to the key that was in use then"
            )
        data = base64.urlsafe_b64decode(body)
        try:
            return (
                AESGCM(self._derived("seal"))
                .decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], place.encode())
                .decode()
            )
        except InvalidTag:
            raise LakehouseError(f"{place}: a sealed value was changed, or moved here") from None

    def fingerprint(self, text: str) -> str:
        """Return what is the same for equal texts only, and cannot be guessed without the key."""
        return hmac.new(self._derived("fingerprint"), text.encode(), hashlib.sha256).hexdigest()

    def _derived(self, purpose: str) -> bytes:
        return hmac.new(self.key, f"lakehouse {purpose}".encode(), hashlib.sha256).digest()


def is_sealed(text: str | None) -> bool:
    """Return whether a text is a sealed value."""
    return text is not None and text.startswith(PREFIX)


def key_file(settings: Settings) -> Path:
    """Return where the key lies when the environment has none."""
    return settings.home / "keys" / "seal.key"


def _from_file(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UsageError(f"{path} is open to others than its owner: chmod 600 {path}")
    return _decoded(path.read_text("ascii").strip(), str(path))


def _make(path: Path) -> None:
    """Write a new key whole, or leave the one that another process wrote at the same time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _decoded(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"{source} is no key: {KEY_BYTES} bytes as base64, as `openssl rand -base64 {KEY_BYTES}` "
            "writes them"
        )
    return key
