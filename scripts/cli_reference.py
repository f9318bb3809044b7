"""Writes `docs/reference/cli.md` from the command line itself; `--check` only compares.

It reads the commands that `cli.main` declares, so the page cannot differ from what `--help` shows.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "cli.md"

_HEAD = """\
# Command line

<!-- Written by scripts/cli_reference.py from the commands themselves: `make reference` updates it. -->

`lakehouse COMMAND --help` prints the same. Settings are environment variables, see
[deploy](../deploy.md). `LAKEHOUSE_DEBUG=1` adds the traceback to an error.

| exit code | means |
|---|---|
| 0 | done, or nothing to do |
| 1 | failed |
| 2 | wrong usage |
| 3 | contract breach |
"""


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code: 0 when the page is written or up to date, 1 when `--check` differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args(arguments).check
    text = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if check:
        name = PAGE.relative_to(ROOT)
        print(f"{name} differs from the command line: run `make reference`", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    """Return the whole page as Markdown."""
    import typer

    # examples name the first domain of the project's own contracts, wherever this is run
    os.environ.pop("LAKEHOUSE_CONTRACTS", None)
    from cli.main import app

    listed = list(commands(typer.main.get_command(app), "lakehouse"))
    index = [f"| [`{name}`](#{_anchor(name)}) | {_cell(verb.help)} |" for name, verb in listed]
    parts = [_HEAD, "| command | |\n|---|---|\n" + "\n".join(index) + "\n"]
    parts += [section(name, verb) for name, verb in listed]
    return "\n".join(parts)


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name, groups resolved, in the order of `--help`."""
    for word, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def section(name: str, command: Any) -> str:
    """Return the part of the page that describes one command."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    words = [name, *(_placeholder(p) for p in arguments), *(["[OPTIONS]"] if options else [])]
    lines = [f"## {name}", "", command.help, "", "```", " ".join(words), "```", ""]
    lines += _table("argument", [(f"`{_placeholder(p)}`", p.help) for p in arguments])
    lines += _table("option", [(_spelling(p), _described(p)) for p in options])
    lines += _examples(command.epilog or "")
    return "\n".join(lines)


def _table(title: str, rows: list[tuple[str, str | None]]) -> list[str]:
    if not rows:
        return []
    return [f"| {title} | |", "|---|---|", *(f"| {a} | {_cell(b)} |" for a, b in rows), ""]


def _placeholder(argument: Any) -> str:
    shown = argument.metavar or argument.name.upper()
    return shown if argument.required or shown.startswith("[") else f"[{shown}]"


def _spelling(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    spelled = [f"`{word}{value}`" for word in sorted(option.opts, key=len, reverse=True)]
    return ", ".join([*spelled, *(f"`{word}`" for word in option.secondary_opts)])


def _described(option: Any) -> str:
    if option.is_flag or option.default in {None, ""}:
        return option.help or ""
    return f"{option.help or ''} Default: {option.default}."


def _examples(epilog: str) -> list[str]:
    plain = re.sub(r"\[/?(?:bold|cyan)\]", "", epilog)
    lines = [line.strip()[2:] for line in plain.splitlines() if line.strip().startswith("$ ")]
    return ["Examples:", "", "```", *lines, "```", ""] if lines else []


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _cell(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip().replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())
