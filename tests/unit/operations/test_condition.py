"""A condition that a command gets as text may only read."""

from __future__ import annotations

import pytest

from lakehouse.errors import UsageError
from operations.query import check_condition


@pytest.mark.parametrize("where", ["", "id = 5", "_source = 'a.jsonl' and status <> 'open'"])
def test_a_condition_on_columns_is_accepted(where):
    """An empty one, too: it is the whole table."""
    check_condition(where)


@pytest.mark.parametrize(
    "where",
    [
        "id = 1; drop table gold.shop__fct_order",
        "Reflect('java.lang.System', 'exit', 1) = 1",
        "try_reflect('java.lang.System', 'exit', 1) = 1",
        "id = ",
    ],
)
def test_more_than_a_condition_is_refused(where):
    """A second statement, a call into Java, a torn text: wrong usage."""
    with pytest.raises(UsageError):
        check_condition(where)
