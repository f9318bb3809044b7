"""Hooks of the documentation site: pages and files that stand outside `docs/` become part of it.

The same Markdown is read on GitHub, where a link may lead anywhere in the repository. On the site
CONTRIBUTING.md, CHANGELOG.md and SECURITY.md are pages, and any other file that a page links to is
copied below `files/`. A link to what does not exist stays as it is, so that the strict build fails.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
    "README.md": "index.md",
}
_LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?=\))")
_OTHER = re.compile(r"[a-z]+:|/|#")  # another host, an absolute path, an anchor


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository's root, and every file outside `docs/` that a page links to."""
    for source, page in PAGES.items():
        if page != "index.md":
            files.append(_added(config, page, source))
    linked = {
        target
        for file in files.documentation_pages()
        for match in _LINK.finditer(file.content_string)
        if (target := _in_repository(file.src_uri, match["target"]))
    }
    for target in sorted(linked - PAGES.keys()):
        if not target.startswith("docs/") and (ROOT / target).is_file():
            files.append(_added(config, f"files/{target}", target))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return the page's text with its links leading to where the site has what they mean."""

    def moved(match: re.Match[str]) -> str:
        target = _in_repository(page.file.src_uri, match["target"])
        if target is None:
            return match[0]
        place = PAGES.get(target) or target.removeprefix("docs/")
        if target not in PAGES and not target.startswith("docs/"):
            if not (ROOT / target).is_file():
                return match[0]
            place = f"files/{target}"
        start = posixpath.dirname(page.file.src_uri) or "."
        return posixpath.relpath(place, start) + (match["anchor"] or "")

    return _LINK.sub(moved, markdown)


def _in_repository(page: str, target: str) -> str | None:
    """Return the path from the repository's root that a page's link means; None for another host."""
    if _OTHER.match(target):
        return None
    sources = {place: source for source, place in PAGES.items() if place != "index.md"}
    source = sources.get(page, f"docs/{page}")
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _added(config: MkDocsConfig, place: str, source: str) -> File:
    return File.generated(config, place, abs_src_path=str(ROOT / source))
