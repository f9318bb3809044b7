"""What all tests share: one Spark session, and homes that are empty at the start."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from lakehouse.settings import PROJECT, Settings
from tests import spark_catalog

# PySpark's Connect client, which Great Expectations looks for, takes a process whose main module
# has no file for its own doctests and ends it; the workers of a parallel test run have none.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__


SECONDS = json.loads((PROJECT / "tests" / "seconds.json").read_text(encoding="utf-8"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what needs the session, and let the files that take longest start first.

    The last file to start decides when all are done.
    """
    for item in items:
        if {"spark", "catalog"} & set(item.fixturenames):
            item.add_marker("spark")
    items.sort(key=lambda item: -SECONDS.get(str(item.path.relative_to(PROJECT)), 0))


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """The one Spark session of the test run."""
    from lakehouse.engine.session import spark

    home = tmp_path_factory.mktemp("session")
    session = spark(Settings(home=home, driver_memory="2g"))
    yield session
    session.stop()
    # Sockets are closed once more when the interpreter ends, after pytest took the log away.
    logging.getLogger("py4j.clientserver").setLevel(logging.ERROR)


@pytest.fixture
def catalog(spark):
    """The session with an empty catalog, before and after: names must not outlive their home."""
    spark_catalog.clear(spark)
    yield spark
    spark_catalog.clear(spark)


@pytest.fixture
def contracts(tmp_path):
    """An empty folder for a test's own contracts."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path, contracts):
    """Settings of an empty home with the test's own contracts and no dbt project."""
    return Settings(home=tmp_path / "home", contracts=contracts, dbt_project=tmp_path / "dbt")


@pytest.fixture
def retail(tmp_path):
    """Settings of an empty home with the project's own contracts and dbt project."""
    return Settings(
        home=tmp_path / "home", contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project"
    )
