"""Datasets load in the order of their references."""

from __future__ import annotations

from types import SimpleNamespace

from silver.cross_row_rules import in_reference_order


def batch(dataset, *references):
    """Return a batch of a dataset that refers to others."""
    rules = [SimpleNamespace(dataset=name) for name in references]
    return SimpleNamespace(contract=SimpleNamespace(dataset=dataset, references=rules))


def groups(*batches):
    """Return the names of the datasets by group."""
    return [sorted(b.contract.dataset for b in group) for group in in_reference_order(batches)]


def test_a_referenced_dataset_loads_first():
    """Lines refer to orders, orders to customers; products to none."""
    batches = [
        batch("lines", "orders", "products"), batch("orders", "customers"), batch("customers"),
        batch("products"),
    ]  # fmt: skip
    assert groups(*batches) == [["customers", "products"], ["orders"], ["lines"]]


def test_a_reference_to_itself_or_to_a_dataset_without_a_batch_waits_for_nothing():
    """A manager is an employee; what has no pending rows is stored as it will be."""
    assert groups(batch("employees", "employees", "cities")) == [["employees"]]
    assert groups() == []
