"""Prints the slowest 50 tests of a JUnit report, and the sum by file; nothing without a report.

`--seconds FILE` also writes the sums by file as JSON: tests/conftest.py starts the longest first.
Only the standard library: CI runs it also where set-up failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

SHOWN = 50


def main(arguments: list[str] | None = None) -> int:
    """Print seconds and name, slowest first; return 0 also where no test has run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--seconds", type=Path, help="where to write the sums by file")
    given = parser.parse_args(arguments)
    if not given.report.exists():
        print(f"{given.report}: no test has run")
        return 0
    cases = ET.parse(given.report).getroot().iter("testcase")
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
    if given.seconds:
        rounded = {f"{file}.py": round(took) for file, took in files.most_common() if took >= 1}
        given.seconds.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
