"""The documentation: links lead somewhere, records have their parts, the reference is current."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RECORDS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    links = []
    for target in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            links.append(target)
    return links


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    """Files and headings that a page links to exist."""
    assert broken(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("target", ["nowhere.md", "README.md#no-such-heading", "#no-such-heading"])
def test_a_link_that_leads_nowhere_is_noticed(target):
    """A missing file and a missing heading are both noticed."""
    assert broken(ROOT / "README.md", f"[x]({target})") == [target]


@pytest.mark.parametrize("record", RECORDS, ids=name)
def test_a_decision_has_context_decision_and_consequences_in_a_page(record):
    """A record has the three parts, in this order, its number in its title, and fits on a page."""
    text = record.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert len(text) < 4000


def test_every_decision_is_listed():
    """The list of decisions names each record, in the order of their numbers."""
    listed = re.findall(r"\((0\d+[^)]*)\)", (ROOT / "docs/decisions/README.md").read_text("utf-8"))
    assert listed == [record.name for record in RECORDS]


def test_the_command_line_reference_is_what_the_commands_say(monkeypatch):
    """Every command, argument, option and example stands in the page as `--help` shows it."""
    # the page names the project's own domains, whatever the environment points to
    monkeypatch.delenv("LAKEHOUSE_CONTRACTS", raising=False)
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/cli_reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()
