"""The columns of a contract, and what custom properties declare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from contracts.errors import ContractError
from contracts.model.contract import Cleanse, Column
from contracts.parsing import custom_properties, units
from contracts.parsing.document import properties_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.model.strict import Strict
    from contracts.parsing.document import Document

TYPES = re.compile(
    r"^(boolean|tinyint|smallint|int|bigint|float|double|string|binary|date|timestamp"
    r"|decimal\(\d+,\s?\d+\)|(array|map|struct)<.+>)$"
)


def column_of(source: Document, index: int, raw: dict[str, Any]) -> Column:
    """Return one column; `index` is its place in the schema."""
    path: list[str | int] = ["schema", 0, "properties", index]
    kind = (raw.get("physicalType") or "").lower().replace(", ", ",")
    if not TYPES.match(kind):
        raise source.error(path, f"column '{raw['name']}': physicalType '{kind}' is no Spark type")
    custom = properties_of(raw)
    unknown = set(custom) - {"cleanse", "evolution", "unit"}
    if unknown:
        raise source.error(path, f"column '{raw['name']}': unknown property {sorted(unknown)}")
    if "unit" in custom and not units.is_known(str(custom["unit"])):
        message = f"column '{raw['name']}': unit '{custom['unit']}' is no UCUM unit and no currency"
        raise source.error([*path, "customProperties"], message)
    evolved = declared_as(
        source, custom_properties.EvolutionDeclaration, custom.get("evolution") or {}, path
    )
    return Column(
        name=raw["name"],
        type=kind,
        description=(raw.get("description") or "").strip(),
        required=bool(raw.get("required") or raw.get("primaryKey")),
        key=raw.get("primaryKeyPosition", 1) if raw.get("primaryKey") else 0,
        unit=custom.get("unit", ""),
        classification=raw.get("classification", ""),
        cleanse=_cleanse(source, path, custom.get("cleanse")),
        previous=evolved.previousNames,
        absent=evolved.absent,
    )


def _cleanse(source: Document, path: list[str | int], raw: dict[str, Any] | None) -> Cleanse:
    if raw is None:
        return Cleanse()
    declared = declared_as(source, custom_properties.CleanseDeclaration, raw, path)
    return Cleanse(
        trim=declared.trim,
        case=declared.case,
        null_tokens=declared.nullTokens,
        mapping=tuple(declared.mapping.items()),
        default=declared.default,
    )


def declared_as(source: Document, kind: type[Strict], raw: Any, path: Sequence[str | int]) -> Any:
    """Return what a custom property declares; raise ContractError with every mistake in it."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = [
            str(
                source.error(
                    [*path, *problem["loc"]], f"{_dotted(problem['loc'])}: {problem['msg']}"
                )
            )
            for problem in error.errors()
        ]
        raise ContractError("\n".join(lines)) from None


def _dotted(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location) or "value"
