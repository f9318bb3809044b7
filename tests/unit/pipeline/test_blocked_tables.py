"""Which tables of silver are blocked while their dataset is stopped."""

from __future__ import annotations

from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach, Violation
from pipeline.notify import blocked_tables
from tests import stored_shop


def test_a_stopped_dataset_blocks_its_own_tables(tmp_path):
    """Its events, their views and its link; hubs are shared, other datasets go on."""
    contracts = load_domain(stored_shop.contracts(tmp_path / "contracts"), "shop")
    breach = ContractBreach("orders: empty", [Violation("orders", "silver", "rows", "none")])
    assert list(map(str, blocked_tables(contracts, [breach]))) == [
        "silver.shop__sat_order",
        "silver.shop__sat_order_history",
        "silver.shop__sat_order_current",
        "silver.shop__lnk_order_customer",
    ]
    assert blocked_tables(contracts, []) == []
