"""docs/extend.md, "A command": the documented file and line, put in place and used."""

from __future__ import annotations

import ast
import re

import cli
import cli.main
from lakehouse.settings import PROJECT
from tests.command_line import empty, home, lakehouse

__all__ = ["empty", "home", "lakehouse"]


def test_a_documented_command_runs(tmp_path, monkeypatch, lakehouse, home):
    """One file and one line of the registry: it is in the help, and prints a page or a document."""
    text = (PROJECT / "docs" / "extend.md").read_text(encoding="utf-8")
    section = text.partition("\n## A command\n")[2].partition("\n## ")[0]
    file, line = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    package = tmp_path / "cli"
    package.mkdir()
    (package / "largest.py").write_text(file, encoding="utf-8")
    monkeypatch.setattr(cli, "__path__", [*cli.__path__, str(package)])
    commands = (*cli.main.COMMANDS, *ast.literal_eval(f"[{line}]"))
    monkeypatch.setattr(cli.main, "app", cli.main.command_line(commands))

    assert " largest " in lakehouse("--help").out
    assert "$ lakehouse largest" in lakehouse("largest", "--help").out
    rows = lakehouse("largest", "shop", "--limit", "2", "--json").json
    sizes = {
        row["table"]: row["bytes"]
        for row in lakehouse("status", "--json").json["domains"][0]["tables"]
    }
    assert [row["bytes"] for row in rows] == sorted(sizes.values(), reverse=True)[:2]
    assert all(sizes[row["table"]] == row["bytes"] for row in rows)
    assert rows[0]["table"] in lakehouse("largest").out
    assert lakehouse("largest", "nowhere").code == 2
