"""What a scheduler needs: the pipelines there are, and one verb run in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.errors import EXIT_BREACH, EXIT_USAGE, ContractBreach, LakehouseError
from lakehouse.settings import settings

if TYPE_CHECKING:
    from contracts.model.contract import Contract


@dataclass(frozen=True)
class Pipeline:
    """One domain as a scheduler sees it: its owner, its datasets, how often they are due."""

    domain: str
    owner: str
    datasets: tuple[Contract, ...]
    scores: tuple[Contract, ...]
    enriches: tuple[Contract, ...]

    @property
    def every_hours(self) -> int:
        """Return how often its sources are due: the shortest frequency that a contract promises."""
        spans = [contract.service_level("frequency") for contract in self.datasets]
        hours = [int(span.total_seconds() // 3600) for span in spans if span is not None]
        return max(1, min(hours, default=24))


def pipelines() -> list[Pipeline]:
    """Return a pipeline for each domain that has contracts."""
    folder = settings().contracts
    return [_pipeline(domain, load_domain(folder, domain)) for domain in domains(folder)]


def is_trained(domain: str) -> bool:
    """Return whether every model that the domain's contracts declare has been trained."""
    chosen = settings()
    contracts = load_domain(chosen.contracts, domain).values()
    declared = [contract.dataset for contract in contracts if contract.score]
    return all(
        (chosen.home / "models" / domain / name / "manifest.json").exists() for name in declared
    )


def _pipeline(domain: str, contracts: dict[str, Contract]) -> Pipeline:
    every = contracts.values()
    owners = sorted({contract.owner for contract in every if contract.owner})
    return Pipeline(
        domain=domain,
        owner=", ".join(owners) or "data-platform",
        datasets=tuple(contract for contract in every if contract.capture),
        scores=tuple(contract for contract in every if contract.score),
        enriches=tuple(contract for contract in every if contract.enrich),
    )


def call(*arguments: str) -> dict[str, Any]:
    """Run one verb in a process of its own and return its result.

    Raises:
        ContractBreach: the data broke a contract; running it again changes nothing.
        LakehouseError: anything else went wrong; a retry may succeed.
    """
    ended = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "cli.main", *arguments, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    sys.stdout.write(ended.stderr)  # a task's log is where operators look for its reason
    if ended.returncode == 0:
        sys.stdout.write(ended.stdout)
        return json.loads(ended.stdout)
    reason = _reason(ended.stderr)
    if ended.returncode in (EXIT_BREACH, EXIT_USAGE):
        raise ContractBreach(reason)
    raise LakehouseError(reason)


def _reason(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return json.loads(lines[-1])["error"]
    except (IndexError, ValueError, KeyError, TypeError):
        return "\n".join(lines[-5:]) or "the command printed no reason"
