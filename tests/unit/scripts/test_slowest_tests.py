"""The list of slowest tests that CI keeps."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
REPORT = """<testsuites><testsuite>
<testcase classname="tests.silver.test_vault" name="test_a" time="1.5"/>
<testcase classname="tests.gold.test_audits" name="test_b[x]" time="20.25"/>
<testcase classname="tests.silver.test_vault" name="test_c" time="3"/>
</testsuite></testsuites>"""


@pytest.fixture
def slowest():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("slowest", ROOT / "scripts/slowest_tests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_slowest_come_first_by_file_and_by_test(slowest, tmp_path, capsys):
    """Seconds are summed by file, and each test is listed with its own."""
    report = tmp_path / "junit.xml"
    report.write_text(REPORT, encoding="utf-8")
    assert slowest.main([str(report)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "3 tests, 25 s in all processes together",
        "",
        "by file:",
        "    20.2 s  tests/gold/test_audits",
        "     4.5 s  tests/silver/test_vault",
        "",
        "slowest 50 tests:",
        "    20.2 s  tests/gold/test_audits::test_b[x]",
        "     3.0 s  tests/silver/test_vault::test_c",
        "     1.5 s  tests/silver/test_vault::test_a",
    ]


def test_seconds_by_file_are_written_for_the_next_run(slowest, tmp_path):
    """`--seconds` names the file that gets whole seconds by test file, the longest first."""
    report, seconds = tmp_path / "junit.xml", tmp_path / "seconds.json"
    report.write_text(REPORT, encoding="utf-8")
    assert slowest.main([str(report), "--seconds", str(seconds)]) == 0
    assert json.loads(seconds.read_text()) == {
        "tests/gold/test_audits.py": 20,
        "tests/silver/test_vault.py": 4,
    }


def test_without_a_report_it_reports_that_no_test_has_run(slowest, tmp_path, capsys):
    """Where set-up failed there is no report, and that is no error of the list."""
    assert slowest.main([str(tmp_path / "none.xml")]) == 0
    assert "no test has run" in capsys.readouterr().out
