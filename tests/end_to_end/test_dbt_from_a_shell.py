"""dbt as its users know it: its own commands, in a process of their own, on the current warehouse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gold import publish
from lakehouse.settings import PROJECT
from tests.integration.gold.toy import ITEM, SHELF, Home, settings_of, stored

pytestmark = [pytest.mark.spark, pytest.mark.slow]
DBT = Path(sys.executable).parent / "dbt"


@pytest.fixture
def home(catalog, tmp_path):
    """A home that has published one batch, and has a second one in silver."""
    made = Home(catalog, settings_of(tmp_path))
    made.load(1, (1, "left", 5, "r", 1))
    made.build()
    made.load(2, (2, "left", -6, "c", 2))
    return made


def dbt(home, *arguments, status=0):
    """Run a command of dbt in the project's folder; return what it printed."""
    environment = {
        **os.environ,
        "LAKEHOUSE_HOME": str(home.settings.home),
        "LAKEHOUSE_CONTRACTS": str(home.settings.contracts),
        "LAKEHOUSE_DRIVER_MEMORY": "1g",
        "PYTHONPATH": str(PROJECT),
    }
    ended = subprocess.run(
        [DBT, *arguments], cwd=home.settings.dbt_project, env=environment,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout


def test_a_build_from_a_shell_is_a_draft_that_the_next_run_replaces(home):
    """It builds and audits, readers keep what was published, and a run publishes what is right."""
    published = publish.published(home.tables, "toy")
    printed = dbt(home, "build", "--select", "toy__fct_item", status=1)
    assert "OK created sql incremental model gold.toy__fct_item" in printed
    assert "Failure in test toy__fct_item__audit" in printed
    assert (2, "left", -6) in stored(home.tables, ITEM)
    assert publish.published(home.tables, "toy") == published
    home.load(3, (2, "left", 6, "u", 3))

    home.build()

    assert publish.published(home.tables, "toy") == home.versions()
    assert stored(home.tables, ITEM) == {(1, "left", 5), (2, "left", 6)}
    assert stored(home.tables, SHELF) == {("left", 5, 1), ("left", 6, 1)}
    dbt(home, "docs", "generate")
    catalog = json.loads((home.settings.dbt_project / "target" / "catalog.json").read_text())
    mart = catalog["nodes"]["model.lakehouse.toy__mart_shelf"]["columns"]
    assert {name: column["type"] for name, column in mart.items()} == {
        "shelf": "string", "price": "bigint", "items": "bigint", "_batch": "bigint",
    }  # fmt: skip
    assert list(catalog["sources"]) == ["source.lakehouse.silver.toy__sat_item"]
