"""The formats of a text column, by the names of the standard, as regular expressions."""

from __future__ import annotations

_MONTHS = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29"
_DATE = f"(?:[0-9]{{4}}-{_MONTHS}|{_LEAP})"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_GROUP = "[0-9A-Fa-f]{1,4}"


def _before(groups: int) -> str:
    return f"{_GROUP}(?::{_GROUP}){{{groups - 1}}}" if groups else ""


# RFC 4291: eight groups, at least one left out for `::`, the last two also written as IPv4
_IPV6 = "|".join(
    [
        rf"(?:{_GROUP}:){{7}}{_GROUP}",
        rf"(?:{_GROUP}:){{6}}{_IPV4}",
        *[
            f"{_before(groups)}::(?:{_GROUP}(?::{_GROUP}){{0,{6 - groups}}})?"
            for groups in range(7)
        ],
        f"{_before(7)}::",
        *[f"{_before(groups)}::(?:{_GROUP}:){{0,{5 - groups}}}{_IPV4}" for groups in range(6)],
    ]
)
# Name -> pattern of the whole text; none where a name says nothing of the text
FORMATS: dict[str, str | None] = {
    "email": rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{_HOST}",
    "uuid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+",
    "hostname": _HOST,
    "ipv4": _IPV4,
    "ipv6": f"(?:{_IPV6})",
    "byte": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "date": _DATE,
    "yyyy-MM-dd": _DATE,
    "time": _TIME,
    "HH:mm:ss": _TIME,
    "yyyy-MM-dd HH:mm:ss": f"{_DATE} {_TIME}",
    "date-time": rf"{_DATE}[Tt ]{_TIME}(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    "password": None,
    "binary": None,
}
# The standard's widths of whole numbers: (least, greatest)
WIDTHS = {
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64, 128)},
}
# How text is read where the column itself is a date or a timestamp
AS_READ = {"date": ("yyyy-MM-dd",), "timestamp": ("yyyy-MM-dd HH:mm:ss", "date-time")}


def pattern_of(name: str) -> str | None:
    """Return the pattern of a format, to be matched from the start; raise KeyError for an unknown one."""
    pattern = FORMATS[name]
    return None if pattern is None else rf"(?:{pattern})\Z"
