"""The process's own log: every notice is one record."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.alerts.notice import Notice

log = logging.getLogger("lakehouse.alerts")


def channel(_environment: Mapping[str, str]) -> LogChannel:
    """Return the log, which needs no configuration."""
    return LogChannel()


class LogChannel:
    """The logger `lakehouse.alerts`."""

    name = "log"

    def send(self, notice: Notice) -> None:
        """Write the notice as one record."""
        level = logging.INFO if notice.kind == "resolved" else logging.WARNING
        log.log(level, "%s", notice.text)
