"""docs/extend.md, "A dataset metric": the documented file and line, put in place and used."""

from __future__ import annotations

import ast
import re

import pyarrow as pa
import pytest
import yaml

import contracts.metrics
from contracts.metrics.registry import METRICS, metrics_of
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach
from lakehouse.quality.dataset_audit.audit import audit
from lakehouse.runs.ledger import Run
from lakehouse.settings import PROJECT, Settings
from lakehouse.storage.tables import TableName, Tables
from tests import orders


def test_a_documented_metric_bounds_a_dataset(tmp_path, monkeypatch):
    """One file and one line of the registry: a contract's rule on the metric is enforced."""
    text = (PROJECT / "docs" / "extend.md").read_text(encoding="utf-8")
    section = text.partition("\n## A dataset metric\n")[2].partition("\n## ")[0]
    source, line = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    [rule] = re.findall(r"^```yaml\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "mean.py").write_text(source, encoding="utf-8")
    path = [*contracts.metrics.__path__, str(tmp_path / "metrics")]
    monkeypatch.setattr(contracts.metrics, "__path__", path)
    for name, metric in metrics_of(ast.literal_eval(f"({line})")).items():
        monkeypatch.setitem(METRICS, name, metric)

    settings = Settings(home=tmp_path / "home", contracts=tmp_path / "contracts")
    document = orders.document()
    document["schema"][0]["quality"] = yaml.safe_load(rule)
    orders.write_contract(settings.contracts, document)
    contract = load_domain(settings.contracts, "shop")["orders"]
    run = Run(1, "shop", Tables.at(settings))
    table = TableName.of("silver", "shop", "sat_placed")

    def amounts(*values):
        return audit(run, contract, table, pa.table({"amount": pa.array(values, pa.float64())}))

    amounts(4.0, None, 8.0).enforce()
    with pytest.raises(ContractBreach, match="mean amount: 300, must be between 1 and 100"):
        amounts(200.0, 400.0).enforce()
