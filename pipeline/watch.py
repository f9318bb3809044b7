"""`lakehouse run`: carries what is new through the layers, once or for as long as it is left on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from contracts.parsing.load import load_domain
from lakehouse.errors import Busy, ContractBreach
from pipeline.run import RunResult, carry, is_pending, layers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakehouse.settings import Settings

LOOK_EVERY = 2.0


def run_domain(
    settings: Settings,
    domain: str,
    *,
    only: Iterable[str] = (),
    always_on: bool = False,
    progress: Callable[..., None] = lambda *_: None,
) -> RunResult:
    """Carry a domain's news through all layers or some; with `always_on`, until interrupted."""
    layers = layers_of(only)
    if always_on:
        return _keep_on(settings, domain, layers, progress)
    return carry(settings, domain, layers, progress)


def _keep_on(
    settings: Settings, domain: str, layers: tuple[str, ...], progress: Callable[..., None]
) -> RunResult:
    """Carry again whenever something new is there; the JVM stays warm between.

    A breach is told once and tried again only when the landing folder has changed.
    """
    contracts = load_domain(settings.contracts, domain)
    told, last = None, RunResult(domain, 0, 0.0)
    while True:
        seen = _landed(settings, domain)
        if seen != told and any(is_pending(settings, domain, contracts, each) for each in layers):
            try:
                last = carry(settings, domain, layers, progress)
                progress(f"run {last.run}: done in {last.seconds:.1f} s")
            except ContractBreach as breach:
                told = seen
                progress(f"breach: {breach}")
            except Busy as busy:
                progress(str(busy))
        time.sleep(LOOK_EVERY)


def _landed(settings: Settings, domain: str) -> frozenset[tuple[str, int, int]]:
    found = (settings.landing / domain).rglob("*")
    states = ((str(path), path.stat()) for path in found if path.is_file())
    return frozenset((path, stat.st_size, stat.st_mtime_ns) for path, stat in states)
