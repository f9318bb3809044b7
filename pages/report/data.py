"""The report's content as plain values, from Delta logs, the ledger and model manifests."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from lakehouse.layers import LAYERS
from operations.quarantine import SUFFIX, reasons
from operations.status import status, table_of, upstreams_of
from pages.report.flow_picture import flow
from pages.report.scores import scores
from platinum.training.model_store import ModelStore

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings

LAST_RUNS = 12
COUNTS = ("input", "valid", "quarantined", "superseded")


def collect(settings: Settings, domain: str = "") -> dict[str, Any]:
    """Return the report of one domain or of all; without tables `domains` is empty."""
    whole = status(settings, domain)
    domains = [
        row for row in whole["domains"] if row["tables"] or row["pending"] or row["last_run"]
    ]
    return {**whole, "domains": [_domain(settings, row) for row in domains]}


def _domain(settings: Settings, row: dict[str, Any]) -> dict[str, Any]:
    from lakehouse.runs.ledger import Ledger
    from lakehouse.storage.tables import Tables

    name = row["domain"]
    ledger = Ledger(Tables.at(settings))
    steps = ledger.steps(name)
    contracts = _contracts(settings, name)
    rows = {row["table"]: row for row in row["tables"]}
    gates = _gates(steps, rows, contracts)
    return {
        **row,
        "datasets": {key: contract.description for key, contract in contracts.items()},
        "flow": flow(settings, name, contracts, row),
        "gates": gates,
        "totals": _totals(row["tables"], gates),
        "quarantine": reasons(settings, name),
        "runs": _runs(ledger.runs(name), steps),
        "models": models(settings.home / "models" / name),
        "scores": scores(settings, name, contracts),
    }


def _contracts(settings: Settings, domain: str) -> dict[str, Contract]:
    """Return the domain's contracts; none where a file is wrong, which `status` reports."""
    from contracts.errors import ContractError
    from contracts.parsing.load import load_domain

    try:
        return load_domain(settings.contracts, domain)
    except ContractError:
        return {}


def _totals(tables: list[dict[str, Any]], gates: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "tables": len(tables),
        "bytes": sum(row["bytes"] for row in tables),
        "bronze_rows": sum(row["rows"] or 0 for row in tables if row["layer"] == "bronze"),
        "open_quarantine": sum(row["open_quarantine"] or 0 for row in tables),
        "behind": sum(row["behind"] for row in tables),
        "gates": len(gates),
        "gates_adding_up": sum(gate["adds_up"] for gate in gates),
        **{key: sum(gate[key] for gate in gates) for key in COUNTS},
    }


def _gates(
    steps: list[dict[str, Any]], rows: dict[str, dict[str, Any]], contracts: dict[str, Contract]
) -> list[dict[str, Any]]:
    """Return one row a gate: its counts since its table was new, and whether the tables agree."""
    datasets = {
        f"silver.{contract.domain}__{contract.vault.events}": dataset
        for dataset, contract in contracts.items()
        if contract.vault
    }
    counted: dict[str, dict[str, Any]] = {}
    for step in steps:
        # Streams and inference jobs have no gate: their counts have no sum to check
        if str(table_of(step)) not in datasets:
            continue
        upstream = {str(up) for up in upstreams_of(step)}
        if not any(step[key] for key in COUNTS) or not upstream:
            continue
        table = str(table_of(step))
        if table not in counted or step["version_from"] < 0:
            # It had read nothing before: the counts of a rebuilt table start here
            counted[table] = {"table": table, **dict.fromkeys(COUNTS, 0), "upstream": set()}
        for key in COUNTS:
            counted[table][key] += step[key]
        counted[table]["upstream"] |= upstream
    for table, gate in counted.items():
        gate["dataset"] = datasets.get(table, "")
        gate["differences"] = _differences(gate, rows)
        gate["adds_up"] = not gate["differences"]
        gate["upstream"] = sorted(gate["upstream"])
    return [counted[table] for table in sorted(counted)]


def _differences(gate: dict[str, Any], rows: dict[str, dict[str, Any]]) -> list[str]:
    """Return the differences of counts: within the ledger, and between the ledger and the tables."""
    differences = []
    parts = gate["valid"] + gate["quarantined"] + gate["superseded"]
    if gate["input"] != parts:
        differences.append(f"{gate['input']:,} came in, {parts:,} are accounted for")
    own = rows.get(gate["table"])
    if own is not None and own["rows"] not in (None, gate["valid"]):
        differences.append(f"the table has {own['rows']:,}")
    layer, _, table = gate["table"].partition(".")
    domain = table.partition("__")[0]
    refused = rows.get(f"{layer}.{domain}__{gate['dataset']}{SUFFIX}") if gate["dataset"] else None
    # A replayed row counts as valid
    quarantined = refused["quarantine"]["open"] + refused["quarantine"]["expired"] if refused else 0
    if gate["dataset"] and quarantined != gate["quarantined"]:
        differences.append(f"quarantine has {quarantined:,}")
    if own is not None and not own["behind"] and len(gate["upstream"]) == 1:
        above = rows.get(next(iter(gate["upstream"])))
        if above is not None and above["rows"] not in (None, gate["input"]):
            differences.append(f"{above['table']} has {above['rows']:,}")
    return differences


def _runs(runs: list[dict[str, Any]], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last runs, newest first, each with the seconds and rows of its layers."""
    by_run: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    written: dict[int, int] = defaultdict(int)
    for step in steps:
        by_run[step["run"]][step["layer"]] += step["seconds"]
        written[step["run"]] += step["written"]
    return [
        {
            **run,
            "layers": {layer: by_run[run["run"]].get(layer, 0.0) for layer in LAYERS},
            "work": sum(by_run[run["run"]].values()),
            "written": written[run["run"]],
        }
        for run in reversed(runs[-LAST_RUNS:])
    ]


def models(folder: Path) -> list[dict[str, Any]]:
    """Return the manifests of a domain's models, by name; an unreadable one has its `error`."""
    manifests = []
    for file in sorted(folder.glob("*/manifest.json")):
        try:
            manifest = ModelStore(file.parent).manifest() or {}
        except (ValueError, OSError) as error:
            manifest = {"error": f"{file}: {error}"}
        manifests.append({"metrics": {}, **manifest, "name": file.parent.name})
    return manifests
