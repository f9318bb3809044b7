"""Homes of the small domain: empty, or made once and copied, with a trained model or a first score."""

import pytest

from platinum.scoring.scoring import score
from platinum.training.training import train
from tests.integration.platinum.shop import (
    copied,
    land,
    line,
    shop,
    write_candidates,
    write_history,
)  # fmt: skip


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


@pytest.fixture(scope="session")
def started(trained, tmp_path_factory, spark):
    """Return the settings of a home whose stream has scored visit 1: to be copied."""
    settings = copied(trained, tmp_path_factory.mktemp("started") / "home")
    land(settings, [line(1, 1, who=1)])
    score(settings, "shop")
    return settings


@pytest.fixture
def scored_once(started, tmp_path):
    """Return the settings of a fresh home whose stream has scored visit 1."""
    return copied(started, tmp_path / "home")
