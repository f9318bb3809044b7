"""Chromium, in which the tests look at the pages: found, or installed by root on Debian."""

from __future__ import annotations

from pathlib import Path

from place import SetUpError, apt, say

PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser")
_HINT = "without Chromium the tests that look at pages are skipped: install chromium"


def ensure() -> None:
    """Install Chromium when there is none and we may; else say what goes without it."""
    if any(Path(place).is_file() for place in PLACES):
        return
    try:
        apt("chromium", _HINT)
    except SetUpError as problem:
        say(str(problem))
