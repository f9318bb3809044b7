"""A score's inputs: model, tables and columns are checked before a JVM is started."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from lakehouse.errors import ContractBreach, UsageError
from lakehouse.storage.tables import TableName, Tables
from platinum.scoring.scoring import require_event_columns, score
from platinum.training.training import train
from tests.integration.platinum.shop import land, line, write_history

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


def test_a_missing_model_or_table_is_refused(settings):
    """No model, no bronze, no candidates: each is named, before a JVM is started."""
    with pytest.raises(UsageError, match="was not trained yet"):
        score(settings, "shop")
    write_history(settings)
    train(settings, "shop")
    with pytest.raises(UsageError, match=r"bronze.shop__visits does not exist yet"):
        score(settings, "shop")
    land(settings, [line(1, 1, who=1)])
    with pytest.raises(UsageError, match=r"gold.shop__candidates does not exist yet"):
        score(settings, "shop")
