"""Writes a file whole or not at all: into a file beside it, which is renamed when it is complete."""

from __future__ import annotations

import filecmp
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextmanager
def atomic_file(path: Path, *, keep_equal: bool = False) -> Generator[Path]:
    """Yield the path to write to; at the end of the block it replaces `path`, unless it raised.

    The file beside it has a dot in front, which readers of folders skip, and the end `.partial`.
    With `keep_equal` a file that has the same content already is left as it is, with its time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        if not (keep_equal and path.exists() and filecmp.cmp(partial, path, shallow=False)):
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as a file, whole or not at all."""
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
