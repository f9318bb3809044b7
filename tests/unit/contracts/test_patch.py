"""A contract's text is changed where a column is added or widened, and nowhere else."""

from __future__ import annotations

import pytest

from contracts.errors import ContractError
from contracts.evolution.patch import Proposed, patched
from contracts.parsing.load import load_file
from tests import orders


def test_a_column_is_added_and_another_widened_and_the_minor_version_raised(tmp_path):
    """All other lines stay as they are, and the patched text is a contract with the new columns."""
    path = orders.write_contract(tmp_path)
    before = path.read_text(encoding="utf-8") + "# a remark\n"
    text = patched(
        before,
        [Proposed("note", "string", note="seen first"), Proposed("amount", "decimal(12,2)", old="decimal(10,2)")],
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")
    contract = load_file(path, "shop")
    assert contract.version == "1.1.0"
    assert contract.column("amount").type == "decimal(12,2)"
    assert contract.column("note").type == "string"
    changed = [line for line in text.splitlines() if line not in before.splitlines()]
    assert [line.strip() for line in changed] == [
        "version: 1.1.0", "physicalType: decimal(12,2)", "- name: note  # seen first",
        "description: To be written.",
    ]  # fmt: skip


def test_a_text_without_columns_is_refused():
    """There is no place to add a column to, which is an error with the file."""
    with pytest.raises(ContractError, match=r"^shop/orders\.yaml:1: no columns"):
        patched("schema: []\n", [Proposed("note", "string")], "shop/orders.yaml")
