"""One landing of the tiny scale, made once."""

from __future__ import annotations

import pytest

from domains.retail import source


@pytest.fixture(scope="session")
def landing(tmp_path_factory):
    """A folder with the snapshot and all four days, landed in one call."""
    folder = tmp_path_factory.mktemp("home") / "landing" / "retail"
    source.land(folder, days=None, scale="tiny")
    return folder
