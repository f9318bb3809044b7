"""Python's regular expressions as Java's: what is rewritten, and what only Python can run."""

from __future__ import annotations

import pytest

from contracts.checks import patterns


@pytest.mark.parametrize(
    ("pattern", "java"),
    [
        ("a", "a"),
        ("-", r"\x{2d}"),
        (".", r"[^\n]"),
        ("(?s).", r"[\s\S]"),
        (r"\d", r"[[\p{Nd}]]"),
        (r"(?a)\d", "[[0-9]]"),
        (r"[^\d]", r"[^[\p{Nd}]]"),
        (r"\w+?", r"[[\p{L}\p{N}_]]{1,}?"),
        ("a*", "a{0,}"),
        ("(?:ab)+", "(?:ab){1,}"),
        ("(?i)a", "(?iu)a"),
        ("a$", r"a(?:\z|(?=\n\z))"),
        (r"a\Z", r"a\z"),
        ("(?m)^a", r"(?:\A|(?<=\n))a"),
        ("(?<!a)b", "(?<!a)b"),
        (r"(a)\1", r"(a)(?:\1)"),
        ("é", r"\x{e9}"),
    ],
)
def test_a_pattern_is_written_for_java_by_what_python_means(pattern, java):
    """Digits are all of Unicode's, `.` is all but a newline, `$` is before a last newline too."""
    assert patterns.java(pattern, from_start=False) == java


def test_a_match_is_anchored_and_a_search_is_not():
    """Python's `match` begins at the start of the text, in Java's `find` that is an anchor."""
    assert patterns.java("ab|ba", from_start=True) == r"\A(?:(?:ab|ba))"
    assert patterns.java("ab|ba", from_start=False) == "(?:ab|ba)"


@pytest.mark.parametrize("pattern", [r"(a)?(?(1)b|c)", r"(?i)(a)\1", r"a\B"])
def test_what_java_cannot_express_is_refused(pattern):
    """Conditional groups, references that ignore case and inner boundaries have no counterpart."""
    with pytest.raises(patterns.OtherMeaning, match="is not known to Java"):
        patterns.java(pattern, from_start=True)


def test_flags_are_written_into_the_pattern():
    """Flags in any order, each once."""
    assert patterns.inline("a", "si") == "(?is)a" == patterns.inline("a", "iss")
    assert patterns.inline("a", "") == "a"
