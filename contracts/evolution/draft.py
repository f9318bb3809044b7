"""A first contract from a profile of data: types, bounds and keys as they were seen, to be reviewed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from contracts.types import logical_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.model.contract import Contract

# A column of that name describes a person, whatever is in it
PERSONAL = re.compile(
    r"^name$|(^|_)(e?mail|phone|mobile|fax|(first|last|middle|full|sur|maiden|customer|person)_?name"
    r"|recipient|address|street|postcode|zip|birth(day|date|_date)?|dob|age|gender|ssn|tax_id|iban"
    r"|passport|plate|ip(_address)?|salary|income|marital(_status)?)($|_)",
    re.IGNORECASE,
)
# Values that describe a person, whatever their column is called
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
PHONE = r"^\+?[0-9][0-9 ()/.-]{6,}[0-9]$"
MOSTLY = 0.8
FEW_VALUES = 12


@dataclass(frozen=True)
class ColumnProfile:
    """One column as it was seen: `values` are its distinct values where they are few.

    `emails` and `phones` are the shares of values that look like one.
    """

    name: str
    type: str
    nulls: int
    distinct: int
    low: Any = None
    high: Any = None
    longest: int | None = None
    values: tuple[Any, ...] = ()
    emails: float = 0.0
    phones: float = 0.0

    @property
    def personal(self) -> bool:
        """Return whether the column looks as if it describes a person."""
        return bool(PERSONAL.search(self.name)) or max(self.emails, self.phones) >= MOSTLY


@dataclass(frozen=True)
class Profile:
    """The data of one dataset: `keys` are the columns, or pairs of them, that identify a row."""

    source: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    keys: tuple[tuple[str, ...], ...] = ()


def draft(
    profile: Profile, domain: str, dataset: str, others: Mapping[str, Contract] | None = None
) -> dict[str, Any]:
    """Return the contract as plain values, in the order in which it is written.

    `others` are the domain's contracts: a hub that they declare keeps its key's name. No value of a
    column that looks personal is in it.
    """
    key = profile.keys[0] if profile.keys else ()
    properties = [_property(column, profile.rows, key) for column in profile.columns]
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"{domain}-{dataset}".replace("_", "-"),
        "name": dataset.replace("_", " ").capitalize(),
        "version": "0.1.0",
        "status": "draft",
        "domain": domain,
        "description": {"purpose": f"One row is one {_singular(dataset).replace('_', ' ')}."},
        "schema": [{"name": dataset, "logicalType": "object", "properties": properties}],
        "customProperties": [
            {"property": "capture", "value": [_capture(profile.source, dataset)]},
            {"property": "vault", "value": _vault(profile, key, dataset, others or {})},
        ],
    }


def written(document: Mapping[str, Any], profile: Profile) -> str:
    """Return the draft as YAML, with what has to be reviewed on top."""
    lines = [
        f"Drafted from {profile.source}, {profile.rows:,} rows. To be reviewed:",
        *review(profile),
    ]
    head = "".join(f"# {line}\n" for line in lines)
    return head + yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)


def review(profile: Profile) -> list[str]:
    """Return what a person has to decide, a line each."""
    personal = [column.name for column in profile.columns if column.personal]
    keys = [" + ".join(key) for key in profile.keys]
    empty = [c.name for c in profile.columns if c.nulls == profile.rows and profile.rows]
    lines = [
        "- owner (`team: {name: ...}`), how often new data is due (`slaProperties`), each description",
        f"- key: {keys[0]}; other candidates: {', '.join(keys[1:]) or 'none'}"
        if keys
        else "- no key was found: rows are identified by their content alone",
        f"- personal, as it looks: {', '.join(personal) or 'nothing'}",
        "- rules named observed_range flag what was not seen yet; make them an error, or remove them",
    ]
    return lines + ([f"- always empty: {', '.join(empty)}"] if empty else [])


def _property(column: ColumnProfile, rows: int, key: tuple[str, ...]) -> dict[str, Any]:
    drafted: dict[str, Any] = {
        "name": column.name,
        "logicalType": logical_type(column.type),
        "physicalType": column.type,
    }
    if column.name in key:
        drafted |= {"primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1}
    if rows and not column.nulls:
        drafted["required"] = True
    if column.personal:
        drafted["classification"] = "personal"
    drafted["description"] = _seen(column, rows)
    numeric = logical_type(column.type) in ("integer", "number")
    if column.personal or column.low is None:
        return drafted
    if numeric and column.low >= 0:
        drafted["logicalTypeOptions"] = {"minimum": 0}
    if column.values and column.name not in key:
        values = {"validValues": list(column.values)}
        drafted["quality"] = [{"metric": "invalidValues", "arguments": values, "mustBe": 0}]
    elif numeric and column.name not in key and not _names_another(column.name):
        bounds = {
            "check": "in_range",
            "min_value": _plain(column.low),
            "max_value": _plain(column.high),
        }
        drafted["quality"] = [
            {
                "type": "custom",
                "engine": "pandera",
                "name": "observed_range",
                "severity": "warning",
                "implementation": bounds,
            }
        ]
    return drafted


def _seen(column: ColumnProfile, rows: int) -> str:
    """Return the description to begin with: what was seen, no value of a personal column."""
    share = column.nulls / rows if rows else 0.0
    parts = [f"{column.distinct:,} distinct values"]
    parts += [f"{share:.1%} missing"] if column.nulls else []
    if not column.personal and column.low is not None and column.type != "string":
        parts.append(f"from {column.low} to {column.high}")
    parts += [f"at most {column.longest} characters"] if column.longest else []
    return f"Seen: {', '.join(parts)}."


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else float(value)


def _capture(source: str, dataset: str) -> dict[str, str]:
    if source.startswith("jdbc:"):
        return {"method": "debezium", "format": "debezium-json", "path": f"{dataset}/*.jsonl"}
    return {"method": "files", "format": "parquet", "path": f"{dataset}/*.parquet"}


def _vault(
    profile: Profile, key: tuple[str, ...], dataset: str, others: Mapping[str, Contract]
) -> dict[str, Any]:
    """Return hubs for the key and for what else is named `<hub>_id`, joined by a link if several."""
    if not key:
        return {"satellite": dataset}
    named = [column for column in key if _names_another(column)]
    foreign = [
        column.name
        for column in profile.columns
        if _names_another(column.name) and column.name not in key
    ]
    members = {hub.name: hub.members for contract in others.values() for hub in _hubs(contract)}
    own = _singular(dataset)
    hubs: dict[str, Any] = {}
    if len(key) == 1:
        name = key[0].removesuffix("_id") if named else own
        hubs[name] = _as_shared(members, name, key)
    else:
        hubs |= {n: _as_shared(members, n, (f"{n}_id",)) for n in (c[:-3] for c in named)}
    if not hubs:
        hubs[own] = list(key)
    for column in foreign:
        hubs.setdefault(column[:-3], _as_shared(members, column[:-3], (column,)))
    if len(hubs) == 1 and len(key) == len(next(iter(hubs.values()))):
        return {"hubs": hubs, "satellite": dataset}
    rest = [column for column in key if column not in named] if len(key) > 1 else []
    link = {"name": dataset, **({"dependent": rest} if rest else {})}
    return {"hubs": hubs, "link": link, "satellite": dataset}


def _hubs(contract: Contract) -> Iterable[Any]:
    return contract.vault.hubs if contract.vault else ()


def _as_shared(members: Mapping[str, tuple[str, ...]], hub: str, columns: tuple[str, ...]) -> Any:
    shared = members.get(hub)
    if shared is None or shared == columns or len(shared) != len(columns):
        return list(columns)
    return dict(zip(shared, columns, strict=True))


def _names_another(column: str) -> bool:
    return column.endswith("_id") and len(column) > len("_id")


def _singular(dataset: str) -> str:
    if dataset.endswith("ies"):
        return f"{dataset[:-3]}y"
    return dataset[:-1] if dataset.endswith("s") and not dataset.endswith("ss") else dataset
