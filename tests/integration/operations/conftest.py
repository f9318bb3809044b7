"""The fixtures of tests of operations: commands on a home with a small shop, shops after some days."""

import pytest

from tests.command_line import empty, home, lakehouse
from tests.small_shop import ShopCopies

__all__ = ["empty", "home", "lakehouse"]


@pytest.fixture(scope="session")
def shop_copies(spark, tmp_path_factory):
    """The homes that were made so far."""
    return ShopCopies(tmp_path_factory.mktemp("shops"), spark)


@pytest.fixture
def shop_after(catalog, shop_copies, tmp_path):
    """A function that returns the test's own shop, of which so many days have run."""
    return lambda days, name="shop": shop_copies.after(days, tmp_path / name)
