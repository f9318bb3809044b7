"""The errors a user sees: each says what happened, where, how much, and what to do next."""

from __future__ import annotations

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


class ContractBreach(LakehouseError):
    """A dataset broke its contract as a whole: its pipeline stops, downstream stays as it was."""

    exit_code = EXIT_BREACH


class Busy(LakehouseError):
    """Another run holds the domain."""
