"""A contract file as YAML: parsed safely, checked against the ODCS v3.1 JSON schema, with lines."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# the stubs of PyYAML and jsonschema leave some arguments untyped

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import yaml

from contracts.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from jsonschema import Draft201909Validator

LARGEST_FILE = 1_000_000
MOST_ALIASES = 50


@dataclass(frozen=True)
class Document:
    """One parsed contract file and the places of its parts."""

    file: str
    data: dict[str, Any]
    root: yaml.Node

    def line(self, path: Iterable[str | int]) -> int:
        """Return the line of the part at `path` (keys and indices), or of the nearest part above."""
        node, line = self.root, 1
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            node, line = child
        return line

    def error(self, path: Iterable[str | int], message: str) -> ContractError:
        """Return an error that names the file, the line and the place."""
        return ContractError(f"{self.file}:{self.line(list(path))}: {message}")


def mapping_at(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the mapping at a key of parsed YAML, empty where there is none."""
    return dict(raw.get(key) or ())


def items_at(raw: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the list of mappings at a key of parsed YAML, empty where there is none."""
    return list(raw.get(key) or ())


def implementation_of(rule: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the `implementation` of a custom rule; a bare word is the value of `name`."""
    declared = rule["implementation"]
    return cast("dict[str, Any]", {**declared} if isinstance(declared, dict) else {name: declared})


def properties_of(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `customProperties` of a part of a contract, values by name."""
    return {item["property"]: item["value"] for item in items_at(declared, "customProperties")}


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value, value.start_mark.line + 1
    return None


def read(path: Path) -> Document:
    """Return the checked document; raise ContractError with every problem and its line."""
    name = f"{path.parent.name}/{path.name}"
    if path.stat().st_size > LARGEST_FILE:
        raise ContractError(f"{name}:1: larger than {LARGEST_FILE:,} bytes, this is no contract")
    text = path.read_text(encoding="utf-8")
    if (
        text.count("*") > MOST_ALIASES
        and sum(_is_alias(t) for t in _tokens(text, name)) > MOST_ALIASES
    ):
        raise ContractError(f"{name}:1: more than {MOST_ALIASES} YAML aliases, refused")
    root, data = _parse(text, name)
    document = Document(name, data, root)
    # A contract's dates are text in the standard; YAML would make them dates.
    problems = list(_validator().iter_errors(json.loads(json.dumps(data, default=str))))
    if problems:
        raise ContractError(
            "\n".join(sorted({_explain(document, problem) for problem in problems}))
        )
    return document


def _is_alias(token: yaml.Token) -> bool:
    return isinstance(token, yaml.AliasToken)


def _tokens(text: str, name: str) -> Iterable[yaml.Token]:
    try:
        yield from yaml.scan(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _unreadable(name, error) from None


def _parse(text: str, name: str) -> tuple[yaml.Node, dict[str, Any]]:
    try:
        loader = yaml.CSafeLoader(text)
        root = loader.get_single_node()
        data = cast("Any", loader.construct_document(root)) if root is not None else None
    except yaml.YAMLError as error:
        raise _unreadable(name, error) from None
    if not isinstance(data, dict) or root is None:
        raise ContractError(f"{name}:1: no contract in this file")
    return root, cast("dict[str, Any]", data)


def _unreadable(name: str, error: yaml.YAMLError) -> ContractError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    return ContractError(f"{name}:{line}: not readable as YAML: {getattr(error, 'problem', error)}")


@lru_cache(maxsize=1)
def _validator() -> Draft201909Validator:
    from jsonschema import Draft201909Validator

    schema = files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return Draft201909Validator(json.loads(schema))


def _explain(document: Document, problem: Any) -> str:
    from jsonschema.exceptions import best_match

    deepest = cast("Any", best_match([problem]) or problem)
    path: list[str | int] = list(deepest.absolute_path)
    where = ".".join(str(step) for step in path) or "the contract"
    return f"{document.file}:{document.line(path)}: {where}: {deepest.message[:300]}"
