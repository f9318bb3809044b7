"""The fixtures of tests that run commands on a home with a small shop."""

from tests.command_line import empty, home, lakehouse

__all__ = ["empty", "home", "lakehouse"]
