r"""Python's regular expressions as Java's, which Spark runs, with the same meaning.

The two differ in what `\d`, `\w`, `\s`, `.`, `$` and a letter in ignored case stand for. A
pattern is read by Python's own parser and written for Java part by part, each by what Python means.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

# Python's own parser of patterns is private and has no types
sre: Any = import_module("re._constants")
parser: Any = import_module("re._parser")
FLAGS = "aimsx"
SPACE = (
    r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
)
# As members of a class: (of text, of ASCII)
DIGIT = (r"\p{Nd}", "0-9")
WORD = (r"\p{L}\p{N}_", "a-zA-Z0-9_")
WHITE = (SPACE, r"\t-\r\x20")
CATEGORIES = {
    sre.CATEGORY_DIGIT: (DIGIT, False),
    sre.CATEGORY_NOT_DIGIT: (DIGIT, True),
    sre.CATEGORY_SPACE: (WHITE, False),
    sre.CATEGORY_NOT_SPACE: (WHITE, True),
    sre.CATEGORY_WORD: (WORD, False),
    sre.CATEGORY_NOT_WORD: (WORD, True),
}
SINGLE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
REPETITIONS = {sre.MAX_REPEAT: "", sre.MIN_REPEAT: "?", sre.POSSESSIVE_REPEAT: "+"}


class OtherMeaning(ValueError):
    """A pattern with a part that Java cannot express; Python has to run it."""


def inline(pattern: str, flags: str) -> str:
    """Return the pattern with its flags, letters of `aimsx`, written into it."""
    return f"(?{''.join(sorted(set(flags)))}){pattern}" if flags else pattern


@lru_cache(maxsize=512)
def java(pattern: str, *, from_start: bool) -> str:
    """Return the pattern for Java's `find`; `from_start` is Python's `match`, else `search`.

    Raises:
        OtherMeaning: Java cannot express it.
        re.error: it is no pattern.
    """
    parsed = parser.parse(pattern)
    flags = parsed.state.flags
    text = _case(flags) + _sequence(parsed, flags)
    return rf"\A(?:{text})" if from_start else text


def _sequence(parts: Any, flags: int) -> str:
    return "".join(_part(kind, given, flags) for kind, given in parts)


def _part(kind: Any, given: Any, flags: int) -> str:
    if kind in SINGLE:
        return _character(kind, given, flags)
    if kind in REPETITIONS:
        return _repeat(kind, given, flags)
    if kind in (sre.SUBPATTERN, sre.BRANCH, sre.ATOMIC_GROUP, sre.ASSERT, sre.ASSERT_NOT):
        return _group(kind, given, flags)
    if kind is sre.AT:
        return _place(given, flags)
    if kind is sre.GROUPREF and not flags & re.IGNORECASE:
        return rf"(?:\{given})"
    raise OtherMeaning(f"{str(kind).lower()} is not known to Java")


def _character(kind: Any, given: Any, flags: int) -> str:
    if kind is sre.LITERAL:
        return _escaped(given)
    if kind is sre.NOT_LITERAL:
        return f"[^{_escaped(given)}]"
    if kind is sre.ANY:
        return r"[\s\S]" if flags & re.DOTALL else r"[^\n]"
    return _class(given, flags)


def _repeat(kind: Any, given: Any, flags: int) -> str:
    least, most, inner = given
    bounds = f"{{{least},{'' if most is sre.MAXREPEAT else most}}}"
    text = _sequence(inner, flags)
    # Java repeats one character in a loop, a group by recursion, as deep as the text is long.
    single = len(inner) == 1 and inner[0][0] in SINGLE and not text.startswith("(")
    return f"{text if single else f'(?:{text})'}{bounds}{REPETITIONS[kind]}"


def _group(kind: Any, given: Any, flags: int) -> str:
    if kind is sre.BRANCH:
        return f"(?:{'|'.join(_sequence(arm, flags) for arm in given[1])})"
    if kind is sre.ATOMIC_GROUP:
        return f"(?>{_sequence(given, flags)})"
    if kind is not sre.SUBPATTERN:
        direction, inner = given
        sign = "=" if kind is sre.ASSERT else "!"
        return f"(?{'<' if direction < 0 else ''}{sign}{_sequence(inner, flags)})"
    group, added, removed, inner = given
    within = (flags | added) & ~removed
    case = "" if within == flags else _case(within) or "(?-iu)"
    return f"{'(?:' if group is None else '('}{case}{_sequence(inner, within)})"


def _escaped(code: int) -> str:
    letter = chr(code)
    return letter if letter.isascii() and letter.isalnum() else rf"\x{{{code:x}}}"


def _case(flags: int) -> str:
    if not flags & re.IGNORECASE:
        return ""
    return "(?i)" if flags & re.ASCII else "(?iu)"


def _members(category: tuple[str, str], flags: int) -> str:
    return category[1 if flags & re.ASCII else 0]


def _class(items: Any, flags: int) -> str:
    negated = ""
    parts: list[str] = []
    for kind, given in items:
        if kind is sre.NEGATE:
            negated = "^"
        elif kind is sre.LITERAL:
            parts.append(_escaped(given))
        elif kind is sre.RANGE:
            parts.append(f"{_escaped(given[0])}-{_escaped(given[1])}")
        elif kind is sre.CATEGORY:
            members, inverted = CATEGORIES[given]
            parts.append(f"[{'^' if inverted else ''}{_members(members, flags)}]")
        else:
            raise OtherMeaning(f"{str(kind).lower()} in a class is not known to Java")
    if negated and any(part.startswith("[^") for part in parts):
        # Java joins a negated class within a negated one otherwise than Python.
        return f"(?![{''.join(parts)}])[\\s\\S]"
    return f"[{negated}{''.join(parts)}]"


def _place(given: Any, flags: int) -> str:
    word = f"[{_members(WORD, flags)}]"
    many = bool(flags & re.MULTILINE)
    places = {
        sre.AT_BEGINNING: r"(?:\A|(?<=\n))" if many else r"\A",
        sre.AT_BEGINNING_STRING: r"\A",
        sre.AT_END: r"(?:\z|(?=\n))" if many else r"(?:\z|(?=\n\z))",
        sre.AT_END_STRING: r"\z",
        sre.AT_BOUNDARY: f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))",
    }
    if given not in places:
        raise OtherMeaning(f"{str(given).lower()} is not known to Java")
    return places[given]
