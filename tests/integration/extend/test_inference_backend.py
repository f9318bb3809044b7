"""docs/extend.md, "An inference backend": the documented file and line, put in place and used."""

from __future__ import annotations

import ast
import re

import numpy as np

import platinum.inference
from lakehouse.settings import PROJECT
from platinum.enrichment.enrichment import enrich
from tests.integration.platinum.shop import name, rows_of, shop, write_goods


def test_a_documented_backend_enriches_a_table(tmp_path, monkeypatch):
    """One file and one line of the registry: each text is embedded by it, once."""
    text = (PROJECT / "docs" / "extend.md").read_text(encoding="utf-8")
    section = text.partition("\n## An inference backend\n")[2].partition("\n## ")[0]
    file, line = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    package = tmp_path / "inference"
    package.mkdir()
    (package / "hashing.py").write_text(file, encoding="utf-8")
    path = [*platinum.inference.__path__, str(package)]
    monkeypatch.setattr(platinum.inference, "__path__", path)
    for kind, module in ast.literal_eval(f"{{{line}}}").items():
        monkeypatch.setitem(platinum.inference.BACKENDS, kind, module)

    settings = shop(tmp_path, inference="hashing")
    titles = ["Whole milk", "Milk, whole", "Motor oil", "Whole milk"]
    write_goods(settings, [(good, title, "", "c", str(good)) for good, title in enumerate(titles)])
    summary = enrich(settings, "shop")["words"]

    assert (summary["backend"], summary["rows"], summary["embedded"]) == ("hashing", 4, 3)
    rows = rows_of(settings, name("platinum", "vectors"))
    vectors = {row["good"]: np.array(row["embedding"]) for row in rows}
    assert vectors[0] @ vectors[3] > 0.99
    assert 0.4 < vectors[0] @ vectors[1] < 0.6
    assert vectors[0] @ vectors[2] == 0
    assert enrich(settings, "shop")["words"]["embedded"] == 0
