"""Earlier versions of contracts: read from a file, or from a git revision of their repository."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model.contract import Contract
    from contracts.parsing.document import Document

# The name of the revision that `earlier` finds
EARLIER = "earlier"
MAIN = ("origin/HEAD", "origin/main", "origin/master", "main", "master")

Loaded = tuple["Contract", "Document"]


def load(text: str) -> Loaded:
    """Return the contract of `FILE` or of `REVISION:FILE`, with its document.

    Raises:
        UsageError: there is no such file, or no such revision.
        ContractError: the file is no contract.
    """
    path = Path(text)
    if path.is_file():
        return _read(path.absolute())
    revision, colon, name = text.partition(":")
    if not colon:
        raise UsageError(f"no file {text}; write a file, or REVISION:FILE")
    return _of_text(_git(Path.cwd(), "show", f"{revision}:./{name}"), Path(name))


def files(folder: Path, domain: str = "") -> dict[str, Path]:
    """Return the contract files of a domain, or of all, by `<domain>/<file>`."""
    paths = sorted(folder.glob(f"{domain or '*'}/*.yaml"))
    return {f"{path.parent.name}/{path.name}": path for path in paths}


def earlier(folder: Path) -> str | None:
    """Return the commit that the working tree has to be compatible with, None where there is none.

    That is where it left the main branch; on the main branch the last tag, or the commit before.
    """
    if _try(folder, "rev-parse", "--is-inside-work-tree") is None:
        return None
    head = _try(folder, "rev-parse", "HEAD")
    bases = (_try(folder, "merge-base", "HEAD", branch) for branch in MAIN)
    base = next((base for base in bases if base and base != head), None)
    if base:
        return base
    tag = _try(folder, "describe", "--tags", "--abbrev=0", "HEAD~1")
    return _try(folder, "rev-parse", "--verify", f"{tag or 'HEAD~1'}^{{commit}}")


def names_at(folder: Path, revision: str, domain: str = "") -> list[str]:
    """Return the contract files that a revision has, as `<domain>/<file>`."""
    listed = _git(folder, "ls-tree", "-r", "--name-only", revision, ".")
    return [
        name
        for name in listed.splitlines()
        if name.count("/") == 1 and name.endswith(".yaml") and domain in ("", name.split("/")[0])
    ]


def at(folder: Path, revision: str, name: str) -> Loaded:
    """Return a contract as a revision has it."""
    return _of_text(_git(folder, "show", f"{revision}:./{name}"), Path(name))


def _read(path: Path) -> Loaded:
    from contracts.parsing import document
    from contracts.parsing.load import load_file

    return load_file(path, path.parent.name), document.read(path)


def _of_text(text: str, name: Path) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name.parent.name or "contracts", name.name)
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        return _read(path)


def read_all(folder: Path, domain: str = "") -> Iterator[tuple[str, Loaded]]:
    """Yield each contract of the working tree by its name."""
    for name, path in files(folder, domain).items():
        yield name, _read(path)


def _git(folder: Path, *words: str) -> str:
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell
        ["git", "-C", str(folder), *words],  # noqa: S607 - git is looked up on the path
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise UsageError(f"git {' '.join(words)}: {ended.stderr.strip().removeprefix('fatal: ')}")
    return ended.stdout


def _try(folder: Path, *words: str) -> str | None:
    try:
        return _git(folder, *words).strip() or None
    except (UsageError, FileNotFoundError):
        return None
