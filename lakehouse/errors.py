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
    """What was asked for does not exist or does not make sense: nothing was started."""

    exit_code = EXIT_USAGE


@dataclass(frozen=True)
class Broken:
    """One broken promise of one dataset.

    `rule` is its name, the same in every run, so that it is told once; `count` how many rows (or
    values) broke it, None where that means nothing; `sample` a few of them, personal data masked.
    """

    dataset: str
    layer: str
    rule: str
    what: str
    count: int | None = None
    table: str = ""
    sample: tuple[str, ...] = ()
    severity: str = "error"


class ContractBreach(LakehouseError):
    """A dataset broke its contract as a whole: its pipeline stops, downstream stays as it was.

    `found` are the promises that it broke, for whoever is to be told of them.
    """

    exit_code = EXIT_BREACH

    def __init__(self, message: str, found: Iterable[Broken] = ()) -> None:
        super().__init__(message)
        self.found = tuple(replace(each, what=each.what or message) for each in found)


class Busy(LakehouseError):
    """Another run holds the domain."""
