"""Lands files of a domain's sample source, for demos and tests of a whole run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.settings import Settings


def land(
    settings: Settings,
    domain: str,
    *,
    days: int | None,
    scale: str | None,
    faults: int | None,
    progress: Callable[..., None],
) -> Any:
    """Return what the domain's sample source landed; raise UsageError where it has none."""
    from lakehouse.errors import UsageError
    from lakehouse.runs.lock import lock_domain

    name = f"domains.{domain}.source"
    try:
        source = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise UsageError(
            f"domain '{domain}' has no sample source: put its files below {settings.landing / domain}"
        ) from None
    with lock_domain(settings.home, f"{domain}-landing", "land"):
        return source.land(
            settings.landing / domain, days=days, scale=scale, faults=faults, progress=progress
        )
