"""A process's settings that point to a small home, and the command line as a function."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from cli.main import main
from lakehouse.settings import settings
from tests import stored_shop


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Return the one document on stdout; fail where there is anything else."""
        return json.loads(self.out)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A home without data whose contracts are those of the shop."""
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAKEHOUSE_CONTRACTS", str(stored_shop.contracts(tmp_path / "contracts")))
    monkeypatch.setenv("COLUMNS", "250")
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


@pytest.fixture
def home(empty):
    """A home with two runs of the shop."""
    stored_shop.build(empty)
    return empty


@pytest.fixture
def lakehouse(capfd):
    """The command line as a function of its arguments."""

    def run(*arguments: str) -> Ended:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Ended(code, *capfd.readouterr())

    return run
