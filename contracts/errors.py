"""What is wrong with a contract file, with the file and the line."""

from __future__ import annotations


class ContractError(Exception):
    """A contract that cannot be used: the message holds one line a problem, `file:line: what`."""

    exit_code = 2
