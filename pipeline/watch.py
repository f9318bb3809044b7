"""`lakehouse run`: one run of a domain, or with `--always-on` a run whenever there is new input."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach, DomainLocked
from pipeline.run import RunResult, layers_of, run_layers
from pipeline.workload import nothing_to_do

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakehouse.settings import Settings

POLL_SECONDS = 2.0


def run_domain(
    settings: Settings,
    domain: str,
    *,
    only: Iterable[str] = (),
    always_on: bool = False,
    progress: Callable[..., None] = lambda *_: None,
) -> RunResult:
    """Run all layers of a domain or some; with `always_on` again and again, until interrupted."""
    layers = layers_of(only)
    if always_on:
        return _watch(settings, domain, layers, progress)
    return run_layers(settings, domain, layers, progress)


def _watch(
    settings: Settings, domain: str, layers: tuple[str, ...], progress: Callable[..., None]
) -> RunResult:
    """Run again whenever a layer has new input; the JVM stays warm between.

    A breach is reported once, and run again only when the landing folder has changed.
    """
    contracts = load_domain(settings.contracts, domain)
    reported, last = None, RunResult(domain, 0, 0.0)
    while True:
        landed = _landed(settings, domain)
        if landed != reported and not nothing_to_do(settings, domain, contracts, layers):
            try:
                last = run_layers(settings, domain, layers, progress)
                progress(f"run {last.run}: done in {last.seconds:.1f} s")
            except ContractBreach as breach:
                reported = landed
                progress(f"breach: {breach}")
            except DomainLocked as busy:
                progress(str(busy))
        time.sleep(POLL_SECONDS)


def _landed(settings: Settings, domain: str) -> frozenset[tuple[str, int, int]]:
    paths = (settings.landing / domain).rglob("*")
    states = ((str(path), path.stat()) for path in paths if path.is_file())
    return frozenset((path, stat.st_size, stat.st_mtime_ns) for path, stat in states)
