"""docs/extend.md, "An alert channel": the documented file and line, put in place and used."""

from __future__ import annotations

import ast
import json
import re

from contracts.parsing.load import load_domain
from lakehouse.alerts import channels, router
from lakehouse.errors import Violation
from lakehouse.settings import PROJECT, Settings
from tests import orders


def test_a_documented_channel_receives_a_breach_and_its_end(tmp_path, monkeypatch):
    """One file and one line of the registry: the router sends through it what it sends at all."""
    text = (PROJECT / "docs" / "extend.md").read_text(encoding="utf-8")
    section = text.partition("\n## An alert channel\n")[2].partition("\n## ")[0]
    source, line = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    package = tmp_path / "channels"
    package.mkdir()
    (package / "file.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(package)])
    for kind, module in ast.literal_eval(f"{{{line}}}").items():
        monkeypatch.setitem(channels.CHANNELS, kind, module)
    [variable] = set(re.findall(r"LAKEHOUSE_ALERT_\w+", source))
    sent = tmp_path / "alerts.jsonl"
    monkeypatch.setenv(variable, str(sent))

    settings = Settings(home=tmp_path / "home", contracts=tmp_path / "contracts")
    orders.write_contract(settings.contracts, orders.document(team={"name": "shop-team"}))
    contracts = load_domain(settings.contracts, "shop")
    breach = Violation("orders", "silver", "rowCount", "rowCount: 0, must be greater than 0")
    for violations in ([breach], [breach], []):
        router.notify(settings, "shop", contracts, violations, checked_layers=["silver"])

    notices = [json.loads(line) for line in sent.read_text(encoding="utf-8").splitlines()]
    assert [notice["kind"] for notice in notices] == ["breach", "resolved"]
    assert notices[0]["owner"] == "shop-team"
    assert "must be greater than 0" in notices[0]["text"]
