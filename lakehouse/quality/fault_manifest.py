"""The manifest of planted faults: what a source did wrong on purpose, and what must become of it.

A source that plants faults writes the manifest beside its landing folder, where no layer reads;
only an audit does. It is sealed: its last field is the SHA-256 of all others, so one that was
changed after it was written is refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, cast

from lakehouse.errors import LakehouseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from duckdb import DuckDBPyConnection

FORMAT = 2
Promise = Literal["quarantined", "superseded", "contradicted", "valid", "once", "replaced", "late"]


@dataclass(frozen=True)
class Fault:
    """One planted fault, its identity in the source, and the outcome that is promised for it.

    | promise | outcome that the audit requires |
    |---|---|
    | `quarantined` | one row of the quarantine has the place, or the line, and the reason (column, rule); no event has the place |
    | `superseded` | bronze has the place `times` times, silver holds it once |
    | `contradicted` | one of the two `contents` is the event of the place, the other is in quarantine |
    | `valid` | the event is there once with its content; where they are given, `flags` are on it, each key of `histories` has exactly those events, bronze has the `unknown_columns`, a published table has the `row` |
    | `once` | of the files with this SHA-256 one was loaded, the others were skipped as duplicates |
    | `replaced` | the file of this SHA-256 was never loaded, `good` was, under the same name |
    | `late` | the file of this SHA-256 was loaded |

    `due` is the day on which delayed rows are sent: before it, none of them may be there.
    `position` is `_sequence`, the documented order of the source. `line` is the SHA-256 of a line
    that cannot be read, `content` the fingerprint of an event. A history is a `key` and its `events`,
    each a place and an operation.
    """

    kind: str
    dataset: str
    day: str
    promise: Promise
    description: str
    due: str = ""
    position: str = ""
    line: str = ""
    column: str = ""
    rule: str = ""
    times: int = 0
    content: str = ""
    contents: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    histories: tuple[dict[str, Any], ...] = ()
    unknown_columns: dict[str, str] | None = None
    row: dict[str, Any] | None = None
    file: str = ""
    sha256: str = ""
    good: str = ""


@dataclass(frozen=True)
class Expected:
    """The row counts that the source states for one dataset, of all that have landed.

    `input` rows are in bronze; of them so many are valid, quarantined, superseded. `digest` is
    that of the valid events, those at the places in `contested` left out.
    """

    input: int
    valid: int
    quarantined: int
    superseded: int
    digest: str
    contested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """All planted faults of a landing folder up to the day `through`, and its rows by dataset.

    A dataset that a broken file stops is not among `expected` before the whole file is sent.
    """

    domain: str
    through: str
    seeds: dict[str, int]
    faults: tuple[Fault, ...]
    expected: dict[str, Expected]


def path_of(landing: Path) -> Path:
    """Return where the manifest of a domain's landing folder lies: beside it, not in it."""
    return landing.parent / f"{landing.name}.faults.json"


def text(manifest: Manifest) -> str:
    """Return the sealed manifest as text."""
    content: dict[str, Any] = {"format": FORMAT, **asdict(manifest)}
    content["faults"] = [
        {name: value for name, value in fault.items() if value not in ("", None, 0, ())}
        for fault in content["faults"]
    ]
    return json.dumps({**content, "sha256": _seal(content)}, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> Manifest:
    """Return the manifest of a file.

    Raises:
        UsageError: there is no manifest.
        LakehouseError: it is not as it was written.
    """
    if not path.is_file():
        raise UsageError(f"no faults were planted: {path} is not there; land with --faults first")
    try:
        content = json.loads(path.read_text("utf-8"))
        seal = content.pop("sha256")
        if seal != _seal(content):
            raise LakehouseError(
                f"{path} was changed after it was sealed, so it is no reference for an audit: "
                "land again into an empty folder"
            )
        if content.pop("format") != FORMAT:
            raise LakehouseError(
                f"{path} has another format than this version reads: land again into an "
                "empty folder"
            )
        faults = tuple(_fault(fault) for fault in content.pop("faults"))
        expected = {name: _expected(rows) for name, rows in content.pop("expected").items()}
        return Manifest(**content, faults=faults, expected=expected)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LakehouseError(f"{path} is no manifest of faults ({error})") from error


def _seal(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _fault(raw: dict[str, Any]) -> Fault:
    unknown = raw.keys() - {field.name for field in fields(Fault)}
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    return Fault(**_with_tuples(raw))


def _expected(raw: dict[str, Any]) -> Expected:
    return Expected(**_with_tuples(raw))


def _with_tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for name, value in raw.items()
    }


def fingerprint(columns: Iterable[str]) -> str:
    """Return DuckDB's expression of an event's fingerprint: place, operation and given columns.

    Column order does not count. Both sides compute it, from values of the contract's types.
    """
    parts = ["_sequence", "_op", *sorted(columns)]
    # Neither a separator nor the mark of a null occurs in a text.
    values = ", ".join(f'coalesce(cast("{part}" as varchar), chr(30))' for part in parts)
    return f"concat_ws(chr(31), {values})"


def digest(
    connection: DuckDBPyConnection,
    events: str,
    columns: Iterable[str],
    contested: Iterable[str] = (),
) -> tuple[int, str]:
    """Return how many events a relation has and the digest of them as a multiset.

    The digest is the sum of 64 bits of each event's MD5, so neither order nor split counts, and
    nothing has to be sorted or kept.
    """
    query = (
        f"select count(*), coalesce(sum(md5_number_lower({fingerprint(columns)})), 0) "
        f"from {events} where not list_contains($contested, _sequence)"
    )
    row = connection.execute(query, {"contested": list(contested)}).fetchone()
    assert row is not None
    return row[0], f"{row[1]:x}"
