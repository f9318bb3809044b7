"""Row checks that Python runs, as Pandera checks: a domain's own code, or what SQL cannot express.

A function of a domain is named as `module:function` below the domain's own package; a check that is
registered with Pandera is named as there and lives in `domains.<domain>.checks`. Nothing else is
imported.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pandas ships no types, and Pandera's registry of checks is partly untyped

from __future__ import annotations

import importlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from contracts.checks.registry import CHECKS
from contracts.types import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandera.pandas as pa

    from contracts.model.rules import Rule

FUNCTION = "custom"
OPTIONS = ("function", "element_wise")


def module_of(rule: Rule) -> Any:
    """Return the imported module that holds a rule's code."""
    return importlib.import_module(rule.source.partition(":")[0])


def check_of(rule: Rule) -> Any:
    """Return the Pandera check that a rule's code makes.

    Raises:
        ImportError: the code is not there.
        TypeError: Pandera does not take these arguments.
    """
    import pandera.pandas as pa

    module, given = module_of(rule), dict(rule.arguments)
    if rule.check != FUNCTION:
        if rule.check not in pa.Check.REGISTERED_CUSTOM_CHECKS:
            raise ImportError(f"{module.__name__} does not register it with Pandera")
        check = getattr(pa.Check, rule.check)(**given)
        if set(given) - set(check.statistics_args):
            raise TypeError(f"it takes {', '.join(check.statistics_args) or 'no argument'}")
        return check
    name = rule.source.partition(":")[2]
    function: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(function):
        raise ImportError(f"{module.__name__} has no function '{name}'")  # noqa: TRY004 - not there
    rest = {key: value for key, value in given.items() if key not in OPTIONS}
    return pa.Check(function, element_wise=bool(given.get("element_wise")), **rest)


def check_in_python(rule: Rule, spark_type: str) -> pa.Check:
    """Return the Pandera check that Python runs for a rule: the domain's code, or the registry's."""
    import pandera.pandas as pa

    if rule.source:
        return check_of(rule)
    check = CHECKS[rule.check]
    if check.function is None:
        raise TypeError(
            f"{rule.check} has no SQL for these arguments, so its entry needs a function"
        )
    given = arguments_in_pandas(rule, spark_type)
    return pa.Check(check.function, element_wise=check.element_wise, **given)


def arguments_in_pandas(rule: Rule, spark_type: str) -> dict[str, Any]:
    """Return the arguments of a rule as values of the column's pandas type."""
    check = CHECKS[rule.check]
    given = dict(check.given(rule.arguments, spark_type).values)
    for name, value in given.items():
        if check.takes[name] == "values":
            given[name] = [_in_pandas(item, spark_type) for item in value]
        elif check.takes[name] == "value":
            given[name] = _in_pandas(value, spark_type)
    return given


def _in_pandas(value: Any, spark_type: str) -> Any:
    import numpy as np
    import pandas as pd

    kind = kind_of(spark_type)
    if kind in ("date", "timestamp"):
        return pd.Timestamp(value)
    if kind == "float" and isinstance(value, float):
        return np.float32(value)
    if kind != "decimal" and isinstance(value, Decimal):
        return float(value)
    return value
