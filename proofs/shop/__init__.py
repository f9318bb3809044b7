"""A small shop for the proofs: everything a change log can do in three datasets, and gold on top."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lakehouse.settings import PROJECT, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

DOMAIN = "proof"
HERE = Path(__file__).parent
TIERS = ("bronze", "silver", "gold")
# Values that the contracts reject until they are relaxed.
BAD_TIER, BAD_AMOUNT = "tin", 5000


def _column(name: str, logical: str, physical: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "logicalType": logical, "physicalType": physical, **more}


KEY = {"primaryKey": True, "primaryKeyPosition": 1}
TIER_IS_KNOWN = {
    "metric": "invalidValues",
    "arguments": {"validValues": list(TIERS)},
    "mustBe": 0,
}
COLUMNS = {
    "customers": [
        _column("id", "integer", "bigint", **KEY),
        _column("name", "string", "string"),
        _column(
            "tier", "string", "string", quality=[TIER_IS_KNOWN],
            customProperties=[{"property": "evolution", "value": {"previousNames": ["level"]}}],
        ),
        _column(
            "vip", "boolean", "boolean",
            customProperties=[{"property": "evolution", "value": {"absent": "true"}}],
        ),
        _column("note", "string", "string"),
    ],
    "orders": [
        _column("id", "integer", "bigint", **KEY),
        _column("customer_id", "integer", "bigint"),
        _column("amount", "number", "decimal(10,2)", logicalTypeOptions={"minimum": 0, "maximum": 1000}),
        _column("placed_at", "timestamp", "timestamp", required=True),
    ],
    "scans": [
        _column("item", "string", "string"),
        _column("pieces", "integer", "int", logicalTypeOptions={"minimum": 1}),
    ],
}  # fmt: skip
_LAXER = {
    "tier": {"quality": [TIER_IS_KNOWN | {"arguments": {"validValues": [*TIERS, BAD_TIER]}}]},
    "amount": {"logicalTypeOptions": {"minimum": 0, "maximum": BAD_AMOUNT}},
}
RELAXED = {
    dataset: [column | _LAXER.get(column["name"], {}) for column in columns]
    for dataset, columns in COLUMNS.items()
}
VAULTS: dict[str, dict[str, Any]] = {
    "customers": {"hubs": {"customer": ["id"]}, "satellite": "customer"},
    "orders": {
        "hubs": {"order": ["id"], "customer": {"id": "customer_id"}},
        "link": {"name": "placed"},
        "satellite": "placed",
    },
    "scans": {"satellite": "scan"},
}


def settings_of(folder: Path, home: Path | None = None, *, relaxed: bool = False) -> Settings:
    """Return settings with the shop's contracts and models below a folder, written if missing.

    Relaxed contracts let the bad rows pass.
    """
    contracts, project = folder / "contracts", folder / "dbt"
    if not project.exists():
        _write_contracts(contracts / DOMAIN, RELAXED if relaxed else COLUMNS)
        shutil.copytree(PROJECT / "dbt_project" / "macros", project / "macros")
        for file in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(PROJECT / "dbt_project" / file, project)
        shutil.copytree(HERE / "models", project / "models" / DOMAIN)
    return Settings(home=home or folder / "home", contracts=contracts, dbt_project=project)


def _write_contracts(folder: Path, datasets: dict[str, list[dict[str, Any]]]) -> None:
    folder.mkdir(parents=True)
    for dataset, columns in datasets.items():
        capture = {"method": "debezium", "format": "kafka-json", "path": f"{dataset}/*.jsonl"}
        document = {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": f"{DOMAIN}-{dataset}",
            "version": "1.0.0",
            "status": "active",
            "domain": DOMAIN,
            "schema": [{"name": dataset, "logicalType": "object", "properties": columns}],
            "customProperties": [
                {"property": "capture", "value": [capture]},
                {"property": "vault", "value": VAULTS[dataset]},
            ],
        }
        text = yaml.safe_dump(document, sort_keys=False)
        (folder / f"{dataset}.yaml").write_text(text, encoding="utf-8")


def land(settings: Settings, dataset: str, name: str, lines: Iterable[str]) -> None:
    """Land Kafka records, a line each, as a file of a dataset."""
    path = settings.landing / DOMAIN / dataset / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
