"""Makes this folder ready to run: environment, Java, jars, class archive; skips what is done.

Only the standard library: this runs before anything is installed. Nothing is written outside
`.venv` and `.tools`, except Java, and Chromium for the tests, by the system's package manager when
root asks for it.
"""

from __future__ import annotations

import argparse
import sys

import browser
import class_archive
import environment
import jars
import java
from place import SetUpError


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code: 0 when everything is there, 1 with one line that says what is not."""
    parser = argparse.ArgumentParser(prog="scripts/setup.sh", description=__doc__)
    parser.add_argument("--group", action="append", default=[], help="a dependency group to add")
    groups = parser.parse_args(arguments).group
    try:
        environment.ensure(groups)
        executable = java.ensure()
        jars.ensure(executable)
        class_archive.ensure(executable)
        if "dev" in groups:
            browser.ensure()
    except SetUpError as problem:
        print(f"set-up: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
