"""The error of a contract file: each problem with its file and line."""

from __future__ import annotations


class ContractError(Exception):
    """A contract that cannot be used: the message holds one line a problem, `file:line: problem`."""

    exit_code = 2
