"""The adapter's own ways to run a query."""

from __future__ import annotations

import pytest

from gold.dbt.adapter import LakehouseAdapter
from gold.dbt.invocation import BuildState, RunInvocation, invoked_by

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("pushed_down", [True, False])
def test_a_cached_query_without_rows_is_a_view_without_rows(catalog, settings, pushed_down):
    """Also with columns of times, whether DuckDB or Spark runs it."""
    adapter = LakehouseAdapter.__new__(LakehouseAdapter)
    adapter._cached = {}
    at = "timestamp '2020-01-01'" if pushed_down else "timestamp_seconds(1)"
    with invoked_by(RunInvocation(settings, BuildState())):
        assert (adapter.push_down(f"select {at} as at") is not None) == pushed_down
        name = adapter.cache_query("toy__none", f"select {at} as at, 1 as one where 1 = 2")
    assert catalog.table(name).collect() == []
    assert dict(catalog.table(name).dtypes) == {"at": "timestamp", "one": "int"}
