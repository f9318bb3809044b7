"""What the tests of gold share."""

from __future__ import annotations

import pytest

from tests.integration.gold.toy import Home


@pytest.fixture
def home(catalog, tmp_path):
    """An empty home whose dbt project has the toy domain only."""
    return Home(catalog, tmp_path)
