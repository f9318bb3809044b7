"""Importing the command line stays light, so that help and completion answer at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "pyspark",
    "pyarrow",
    "duckdb",
    "deltalake",
    "pydantic",
    "dbt",
    "sqlglot",
    "pandas",
    "yaml",
)
REPORT = "print(*[name for name in {names!r} if name in sys.modules])"


def imported(statement):
    """Return which of the heavy packages a fresh process has after a statement."""
    code = f"import sys; {statement}; {REPORT.format(names=HEAVY)}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ended.stdout.split()


def test_the_command_line_imports_no_engine_and_no_settings():
    """Each verb imports what it needs when it runs."""
    assert imported("import cli.main") == []


@pytest.mark.parametrize("package", ["duckdb", "pydantic"])
def test_a_heavy_import_is_noticed(package):
    """The check can fail: a process that imports one of them is noticed."""
    assert package in imported(f"import cli.main, {package}")
