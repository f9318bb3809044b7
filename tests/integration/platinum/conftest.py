import pytest

from tests.integration.platinum.shop import shop


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a fresh home with the small domain."""
    return shop(tmp_path)
