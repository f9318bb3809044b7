"""Changes a contract's text where it has to change, and leaves every other letter as it is."""

# pyright: reportUnknownMemberType=false
# the stubs of PyYAML leave some arguments untyped

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import yaml

from contracts.errors import ContractError
from contracts.evolution.diff import raised
from contracts.types import logical_type

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = re.compile(r"^(version:\s*['\"]?)(\d+\.\d+\.\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Proposed:
    """A column to be added to a contract, or to get a wider type where `old` names one."""

    name: str
    type: str
    note: str = ""
    old: str = ""

    @property
    def logical(self) -> str:
        """Return the standard's logical type."""
        return logical_type(self.type)


def patched(text: str, proposed: Iterable[Proposed], file: str = "") -> str:
    """Return a contract's text with columns added and widened, and its minor version raised.

    Raises:
        ContractError: the text has no list of columns to add to.
    """
    wanted = list(proposed)
    lines = text.splitlines(keepends=True)
    root = cast("yaml.Node | None", yaml.compose(text, Loader=yaml.CSafeLoader))
    columns = _get(_first(_get(root, "schema")), "properties")
    if not isinstance(columns, yaml.SequenceNode) or not columns.value:
        raise ContractError(f"{file}:1: no columns below schema.properties to add to")
    for column in wanted:
        if column.old:
            _widen(lines, columns, column)
    new = [column for column in wanted if not column.old]
    if new:
        nodes = cast("list[yaml.Node]", columns.value)
        last, first = nodes[-1], nodes[0]
        at = last.end_mark.line + (1 if last.end_mark.column else 0)
        while at and not lines[at - 1].strip():
            at -= 1
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += "\n"
        indent = _indent(lines, first)
        lines.insert(at, "".join(fragment(column, indent) for column in new))
    return VERSION.sub(lambda match: match[1] + raised(match[2], "minor"), "".join(lines), count=1)


def fragment(column: Proposed, indent: str = "") -> str:
    """Return one column as YAML, as an item of a list at an indent."""
    name = yaml.safe_dump(column.name).removesuffix("\n...\n").strip()
    note = f"  # {column.note}" if column.note else ""
    return (
        f"{indent}- name: {name}{note}\n"
        f"{indent}  logicalType: {column.logical}\n"
        f"{indent}  physicalType: {column.type}\n"
        f"{indent}  description: To be written.\n"
    )


def _indent(lines: list[str], node: yaml.Node) -> str:
    """Return what stands before an item's hyphen."""
    return lines[node.start_mark.line][: node.start_mark.column].rstrip(" ").rstrip("-")


def _widen(lines: list[str], columns: yaml.SequenceNode, column: Proposed) -> None:
    for entry in columns.value:
        label = _get(entry, "name")
        kind = _get(entry, "physicalType")
        if label is None or kind is None or label.value != column.name:
            continue
        start, end = kind.start_mark, kind.end_mark
        line = lines[start.line]
        lines[start.line] = line[: start.column] + column.type + line[end.column :]


def _get(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    return None


def _first(node: yaml.Node | None) -> yaml.Node | None:
    return node.value[0] if isinstance(node, yaml.SequenceNode) and node.value else None
