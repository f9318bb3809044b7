"""What the tests of gold share: an empty home, and one that has published a first batch."""

from __future__ import annotations

import shutil

import pytest

from lakehouse.settings import Settings
from tests.integration.gold.toy import Home, settings_of


@pytest.fixture
def home(catalog, tmp_path):
    """An empty home whose dbt project has the toy domain only."""
    return Home(catalog, settings_of(tmp_path))


@pytest.fixture(scope="session")
def first_batch(spark, tmp_path_factory):
    """The folder of a home that has published its first batch: item 1 on the left shelf for 5."""
    folder = tmp_path_factory.mktemp("toy")
    made = Home(spark, settings_of(folder))
    made.load(1, (1, "left", 5, "r", 1))
    made.build()
    return folder


@pytest.fixture
def loaded(first_batch, catalog, tmp_path):
    """A home of the test's own that has published its first batch."""
    for name in ("home", "dbt", "contracts"):
        shutil.copytree(first_batch / name, tmp_path / name)
    settings = Settings(
        home=tmp_path / "home", dbt_project=tmp_path / "dbt", contracts=tmp_path / "contracts"
    )
    return Home(catalog, settings)
