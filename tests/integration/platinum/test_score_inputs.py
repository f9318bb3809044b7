"""Events are scored only where they have the columns by which they are scored."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from lakehouse.errors import ContractBreach
from lakehouse.storage.tables import TableName, Tables
from platinum.scoring.scoring import require_event_columns

SOURCE = TableName("bronze", "shop__orders")
SCORE = SimpleNamespace(
    dataset="reorder",
    score={"events": {"key": "basket", "entity": ["customer"], "timestamp": "paid_at"}},
)
DATASET = SimpleNamespace(names=("basket", "customer", "paid_at"))


def test_a_column_that_is_gone_is_one_breach_that_names_it(tmp_path):
    """A table without a needed column stops scoring as a whole, before any event is taken for bad."""
    tables = Tables(str(tmp_path))
    require_event_columns(tables, SOURCE, SCORE, DATASET)  # no table yet: no breach
    tables.append(SOURCE, pa.table({"basket": [1], "paid_at": ["x"]}))
    with pytest.raises(ContractBreach, match="lacks customer, by which its events are scored") as e:
        require_event_columns(tables, SOURCE, SCORE, DATASET)
    [broken] = e.value.violations
    assert (broken.layer, broken.dataset, broken.rule) == ("platinum", "reorder", "event schema")
    tables.append(SOURCE, pa.table({"basket": [1], "customer": [2], "paid_at": ["x"]}))
    require_event_columns(tables, SOURCE, SCORE, DATASET)
