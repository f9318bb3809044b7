"""The errors a user sees: each says what happened, where, how much, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BREACH = 3


class LakehouseError(Exception):
    """A failure with a message for a person; the command line prints it without a trace."""

    exit_code = EXIT_FAILED


class UsageError(LakehouseError):
    """A request names what does not exist, or makes no sense: nothing was started."""

    exit_code = EXIT_USAGE


@dataclass(frozen=True)
class Violation:
    """One violation of one rule of a dataset's contract.

    `rule` is the rule's name, the same in every run, so that one violation alerts once; `count` is
    how many rows (or values) violate it, None where that means nothing; `sample` describes a few
    of them, personal data masked.
    """

    dataset: str
    layer: str
    rule: str
    message: str
    count: int | None = None
    table: str = ""
    sample: tuple[str, ...] = ()
    severity: str = "error"


class ContractBreach(LakehouseError):
    """A dataset broke its contract as a whole: its pipeline stops, downstream stays as it was.

    `violations` are the rules that it violates, for the alerts to its owner.
    """

    exit_code = EXIT_BREACH

    def __init__(self, message: str, violations: Iterable[Violation] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(
            replace(violation, message=violation.message or message) for violation in violations
        )


class DomainLocked(LakehouseError):
    """Another process works on the domain and has its lock."""
