"""`contracts propose`: new columns and wider types of bronze, as a patch of the contract's text."""

from __future__ import annotations

import pyarrow as pa
import pytest
import yaml

from contracts.evolution.patch import Proposed, patched
from contracts.parsing.load import load_file
from lakehouse.settings import PROJECT
from lakehouse.storage.tables import TableName, Tables

CUSTOMERS = TableName.of("bronze", "shop", "customers")


@pytest.fixture
def bronze(empty):
    """Customers as a source sends them today: five columns more, one value too long for its type."""
    rows = {
        "id": [1, 2, None],
        "email": ["ann@example.org", "bob@example.org", None],
        "city": ["Bonn", None, None],
        "since": ["2024-01-31", None, None],
        "points": ["12", "-3", None],
        "zip": ["01067", "53111", None],
        "rate": ["0.125", "12", None],
        "seen": ["2024-01-31T10:00:00Z", "2024-01-31 10:00:00.5", None],
        "_op": ["c", "c", "c"],
        "_rescued": [None, None, [("id", "99999999999")]],
    }
    kinds = {"id": pa.int32(), "_rescued": pa.map_(pa.string(), pa.string())}
    arrays = {name: pa.array(v, kinds.get(name, pa.string())) for name, v in rows.items()}
    Tables(str(empty / "warehouse")).append(CUSTOMERS, pa.table(arrays))
    return empty


def test_what_is_new_is_typed_and_never_shown(lakehouse, bronze):
    """The type holds every value, a leading zero makes a code; shapes stand for values."""
    (proposal,) = lakehouse("contracts", "propose", "shop", "--json").json["proposals"]
    kinds = {column["column"]: column["type"] for column in proposal["columns"]}
    assert kinds == {
        "since": "date", "points": "bigint", "zip": "string", "rate": "decimal(18,3)",
        "seen": "timestamp",
    }  # fmt: skip
    assert (proposal["version"], proposal["new_version"]) == ("1.2.0", "1.3.0")
    shares = {column["column"]: column["null_share"] for column in proposal["columns"]}
    assert shares["since"] == pytest.approx(2 / 3, abs=0.001)
    shown = lakehouse("contracts", "propose", "shop").out
    assert "99999" in shown
    assert "01067" not in shown


def test_written_it_is_a_contract_without_drift(lakehouse, bronze):
    """The file loads, asks for nothing more, and its other lines are as they were."""
    file = bronze.parent / "contracts" / "shop" / "customers.yaml"
    text = file.read_text().replace("physicalType: bigint", "physicalType: int", 1)
    file.write_text("# ours\n" + text)
    before = file.read_text().splitlines()
    assert lakehouse("contracts", "propose", "shop", "customers", "--write").code == 0
    contract = load_file(file, "shop")
    assert contract.version == "1.3.0"
    assert contract.column("id").type == "bigint", "a value did not fit"
    assert contract.column("rate").type == "decimal(18,3)"
    assert contract.names[:3] == ("id", "email", "city")
    after = file.read_text().splitlines()
    assert after[0] == "# ours"
    lost = [line for line in before if line not in after]
    assert all("version: 1.2.0" in line or "physicalType" in line for line in lost), lost
    ended = lakehouse("contracts", "diff", "HEAD:x", str(file))
    assert ended.code == 2, "no repository here"


@pytest.mark.parametrize("name", ["demographics", "transactions", "products"])
def test_a_patch_changes_only_its_lines(tmp_path, name):
    """Of a real contract: one column more at the end, one wider, the version; nothing else."""
    path = PROJECT / "contracts" / "retail" / f"{name}.yaml"
    text = path.read_text()
    whole = yaml.safe_load(text)
    columns = whole["schema"][0]["properties"]
    kind = columns[0]["physicalType"]
    new = patched(
        text, [Proposed("note", "string", "why"), Proposed(columns[0]["name"], "bigint", "", kind)]
    )
    columns[0]["physicalType"] = "bigint"
    columns.append({"name": "note", "logicalType": "string", "physicalType": "string",
                    "description": "To be written."})  # fmt: skip
    major, minor, _ = map(int, whole["version"].split("."))
    whole["version"] = f"{major}.{minor + 1}.0"
    assert yaml.safe_load(new) == whole
    assert len(new.splitlines()) == len(text.splitlines()) + 4
