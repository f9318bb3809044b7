"""Homes of the small domain: empty, or with a trained model, which is made once and copied."""

import pytest

from platinum.training.training import train
from tests.integration.platinum.shop import shop, write_candidates, write_history


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a fresh home with the small domain."""
    return shop(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return the settings of a home with features, candidates and a trained model: to be copied."""
    settings = shop(tmp_path_factory.mktemp("trained"))
    write_candidates(settings, write_history(settings))
    train(settings, "shop")
    return settings
