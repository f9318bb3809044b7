"""Which layers `lakehouse run` runs."""

from __future__ import annotations

import pytest

from lakehouse.errors import UsageError
from lakehouse.layers import BATCH
from pipeline.run import layers_of


def test_layers_run_in_the_order_of_the_flow():
    """Each `--layer` counts, in whatever order they are given; none asks for all."""
    assert layers_of(["silver", "bronze", "silver"]) == ("bronze", "silver")
    assert layers_of([]) == BATCH


def test_an_unknown_layer_is_named():
    """A typo stops the run before anything is read."""
    with pytest.raises(UsageError, match="layer 'sliver' is none of bronze, silver, gold"):
        layers_of(["gold", "sliver"])
