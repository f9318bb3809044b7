"""Planted faults on the real domain when all days arrive at once and pass through Spark."""

from __future__ import annotations

import pytest

from domains.retail import source
from operations.fault_audit import audit
from pipeline.run import run_layers
from silver import small_batch

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_all_days_at_once_in_large_batches_are_as_promised(catalog, retail, monkeypatch):
    """One run over all days, each dataset by the way of large batches: the same audit, no breach."""
    monkeypatch.setattr(small_batch, "ROWS", -1)
    source.land(retail.landing / "retail", days=None, scale="tiny", faults=11)
    run_layers(retail, "retail", ("bronze", "silver"))
    result = audit(retail, "retail").to_dict()
    missed = {k["kind"] for k in result["kinds"] if k["recall"] < 1}
    assert missed == {"orphan"}, result["problems"]
    assert result["precision"] == 1.0
    assert all(row["as_promised"] for row in result["rows"])
