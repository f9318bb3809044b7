"""Prints the slowest 50 tests of a JUnit report, and the sum by file; nothing without a report.

Only the standard library: CI runs it also where set-up failed.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

SHOWN = 50


def main(report: Path) -> int:
    """Print seconds and name, slowest first; return 0 also where no test has run."""
    if not report.exists():
        print(f"{report}: no test has run")
        return 0
    cases = ET.parse(report).getroot().iter("testcase")
    seconds = [
        (float(case.get("time", 0)), case.get("classname", "").replace(".", "/"), case.get("name"))
        for case in cases
    ]
    files: Counter[str] = Counter()
    for took, file, _ in seconds:
        files[file] += took
    print(f"{len(seconds)} tests, {sum(files.values()):.0f} s in all processes together")
    print("\nby file:")
    for file, took in files.most_common(SHOWN):
        print(f"{took:8.1f} s  {file}")
    print(f"\nslowest {SHOWN} tests:")
    for took, file, name in sorted(seconds, reverse=True)[:SHOWN]:
        print(f"{took:8.1f} s  {file}::{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
