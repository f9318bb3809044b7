"""The code and the documents use the field's words: what the glossary retires does not come back.

As a program (`python tests/unit/test_words.py [FOLDER ...]`) it lists what it finds.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CODE = (
    "contracts", "lakehouse", "bronze", "silver", "gold", "platinum", "pipeline", "operations",
    "pages", "cli", "dags", "domains", "proofs", "benchmarks", "scripts", "dbt_project", "dbt",
)  # fmt: skip
TESTS = "tests"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs")
# retired word or name -> what to write
NAMES = {
    "found": "the noun of what it is: files, rows, contracts",
    "each": "the noun of what it is",
    "one": "the noun of what it is",
    "what": "the noun of what it is",
    "once": "idempotency_key",
    "known": "cached, or the noun of what it is",
    "waiting": "pending",
    "extra": "unknown columns, schema drift",
}
PARTS = {
    "tell": "notify, report, log", "tells": "notify", "told": "notified", "telling": "notify",
    "said": "message, text", "says": "message", "held": "blocked", "holds": "matches, allows",
    "settle": "publish, load, resolve", "settled": "loaded, published, resolved, unchanged",
    "judge": "validate", "judged": "validated", "judges": "validates", "judgement": "metrics",
    "verdict": "outcome", "verdicts": "outcomes", "asking": "push-down, query",
    "asked": "requested, queried", "answer": "query result", "answered": "resolved",
    "news": "workload", "little": "small", "restate": "rebuild", "restated": "rebuilt",
    "anew": "rebuild", "undo": "rollback", "undone": "rolled_back", "undoes": "rolls_back",
    "hurt": "false_positive", "beyond": "schema_drift", "repeats": "duplicates",
    "evidence": "fault_evidence", "promises": "fault_audit",
}  # fmt: skip
PROSE = {
    r"tell|tells|told|telling": "notify, report, log",
    r"said": "stated, logged, returned",
    r"held": "blocked, enforced, cached, retained",
    r"settle|settles|settled": "loaded, published, resolved",
    r"judge|judges|judged|judging|judgement": "validate",
    r"verdict|verdicts": "outcome",
    r"anew": "again, from nothing, rebuild",
    r"undo|undoes|undone|undoing": "roll back",
    r"way back": "rollback",
    r"restate|restated|restates": "rebuild",
    r"hurt|hurts": "false positive",
    r"across rows": "cross-row rule",
    r"SEEN|EARLY|ALONE|FRESH": "ALREADY_SCORED, BEFORE_FEATURES, NO_CANDIDATE, SCORED",
}
JINJA = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# Places where a word is meant in its ordinary sense: path, word, why
ORDINARY = {
    ("lakehouse/settings.py", "extra"): "the name of an option of pydantic",
    ("contracts/model/strict.py", "extra"): "the name of a setting of pydantic",
    ("operations/fault_audit.py", "evidence"): "the import of operations/fault_evidence.py",
    (
        "platinum/training/model_store.py",
        "verdict",
    ): "a key of models trained by versions up to 0.2.0",
    ("contracts/parsing/custom_properties.py", "settled"): "a key of contracts up to 0.2.0",
    ("tests/integration/platinum/test_training.py", "verdict"): "that key, which is still read",
    ("tests/integration/platinum/test_training.py", "settled"): "that key, which is still read",
}


def offences(path: Path) -> list[str]:
    """Return one line a retired word of a file: where, which, what to write."""
    text = path.read_text(encoding="utf-8")
    relative = path.relative_to(PROJECT).as_posix()
    listed = []
    for line, word, better in [*_names(path, text), *_prose(path, text)]:
        if (relative, word.lower()) not in ORDINARY:
            listed.append(f"{relative}:{line}: '{word}': write {better}")
    return listed


def _names(path: Path, text: str):
    for line, name in _identifiers(path, text):
        if name.lower() in NAMES:
            yield line, name, NAMES[name.lower()]
        for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name):
            if part.lower() in PARTS:
                yield line, part, PARTS[part.lower()]


def _identifiers(path: Path, text: str):
    """Yield line and name of each identifier: of Python, and of the expressions of a template."""
    if path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME:
                yield token.start[0], token.string
    elif path.suffix == ".j2":
        for expression in JINJA.finditer(text):
            line = text.count("\n", 0, expression.start()) + 1
            for name in re.findall(r"[A-Za-z_]\w*", QUOTED.sub("", expression[1])):
                yield line, name


def _prose(path: Path, text: str):
    patterns = [
        (re.compile(rf"(?<![\w`])(?:{words})(?![\w`])"), better) for words, better in PROSE.items()
    ]
    if path.suffix == ".py":
        pieces = [
            (token.start[0] + number, line)
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type
            in {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}
            for number, line in enumerate(token.string.splitlines())
        ]
    else:
        pieces = list(enumerate(text.splitlines(), 1))
    for line, piece in pieces:
        for pattern, better in patterns:
            for match in pattern.finditer(piece):
                yield line, match[0], better


def files(*roots: str):
    """Yield the files whose words are read; not this one, which lists the retired words."""
    for root in roots:
        path = PROJECT / root
        yield from (
            [path]
            if path.is_file()
            else sorted(
                file
                for file in path.rglob("*")
                if file.suffix in {".py", ".md", ".sql", ".j2"}
                and "target" not in file.parts
                and file != Path(__file__)
            )
        )


@pytest.mark.parametrize("root", [*CODE, *DOCUMENTS, TESTS])
def test_no_retired_word_comes_back(root):
    """Names, docstrings, comments, messages and documents use the glossary's words."""
    assert [line for file in files(root) for line in offences(file)] == []


def test_a_retired_word_is_noticed(tmp_path, monkeypatch):
    """The test can fail: a name, a part of a name, a comment and a message are each found."""
    monkeypatch.setattr(sys.modules[__name__], "PROJECT", tmp_path)
    file = tmp_path / "sample.py"
    file.write_text('found = is_held("the owner was told")  # judged anew\n', encoding="utf-8")
    assert [line.split("'")[1] for line in offences(file)] == [
        "found", "held", "told", "judged", "anew",
    ]  # fmt: skip


def test_a_retired_word_is_noticed_in_a_template(tmp_path, monkeypatch):
    """Names in a template's expressions count, and its text; quoted keys do not."""
    monkeypatch.setattr(sys.modules[__name__], "PROJECT", tmp_path)
    file = tmp_path / "page.html.j2"
    file.write_text("{% for each in rows['found'] %}<p>{{ each }} was held</p>", encoding="utf-8")
    assert [line.split("'")[1] for line in offences(file)] == ["each", "each", "held"]


if __name__ == "__main__":
    chosen = sys.argv[1:] or [*CODE, *DOCUMENTS]
    for file in files(*chosen):
        print(*offences(file), sep="\n", end="\n" if offences(file) else "")  # noqa: T201
