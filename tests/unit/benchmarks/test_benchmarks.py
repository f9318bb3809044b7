"""The benchmarks' command line and the figures that are committed."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import BENCHMARKS, parser
from benchmarks.measure import RESULTS


def test_help_names_what_each_benchmark_measures():
    """Each benchmark is listed with its line, and the one that is a program of its own."""
    text = parser().format_help()
    for name, benchmark in BENCHMARKS.items():
        assert f"  {name} " in text
        assert benchmark.measures in text
    assert "python -m benchmarks.embeddings" in text


def test_an_unknown_benchmark_is_refused(capsys):
    """The error lists the benchmarks there are."""
    with pytest.raises(SystemExit):
        parser().parse_args(["--only", "speed"])
    assert "'demo'" in capsys.readouterr().err


def test_committed_figures_belong_to_a_benchmark():
    """Each result is named as its file, is of a benchmark that exists, and has its machine."""
    results = sorted(RESULTS.glob("*.json"))
    assert len(results) >= 10
    for path in results:
        result = json.loads(path.read_text(encoding="utf-8"))
        name = path.stem
        assert result["benchmark"] == name
        assert name.removesuffix("-full").removesuffix("-small") in {*BENCHMARKS, "embeddings"}
        assert result["machine"]["cores"] >= 1
