"""The channels an alert goes out by: `CHANNELS` is their registry, the environment configures them.

A channel is one file here and one line below; `docs/extend.md` has an example. Who is notified, and
of what, is decided in `lakehouse.alerts.router`.
"""

from __future__ import annotations

import logging
import os
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from tenacity import Retrying, stop_after_attempt, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.alerts.notice import Notice

# Kind -> module with a function `channel(environment)`, which returns the channel, or None where it
# is not configured. A channel takes addresses from `support` of the contract, by their `tool`.
CHANNELS = {
    "log": "lakehouse.alerts.channels.log",
    "webhook": "lakehouse.alerts.channels.webhook",
    "email": "lakehouse.alerts.channels.email",
}
ATTEMPTS, FIRST_WAIT = 3, 0.5
logger = logging.getLogger("lakehouse.alerts")


class AlertChannel(Protocol):
    """One channel through which notices are sent."""

    @property
    def name(self) -> str:
        """Return the name of the channel in the log."""
        ...

    def send(self, notice: Notice) -> None:
        """Send a notice; raise where it did not arrive."""
        ...


def configured_channels(environment: Mapping[str, str] | None = None) -> list[AlertChannel]:
    """Return the channels that the environment configures; secrets stand nowhere else.

    Raises:
        UsageError: an address is malformed. The message names the variable, never its value.
    """
    given = os.environ if environment is None else environment
    channels = [import_module(module).channel(given) for module in CHANNELS.values()]
    return [channel for channel in channels if channel is not None]


def deliver(
    notice: Notice, channels: list[AlertChannel], first_wait: float = FIRST_WAIT
) -> list[str]:
    """Send a notice through every channel, with retries; return the names of those that failed.

    Nothing is raised: a failed delivery is logged, and stops no data.
    """
    failed: list[str] = []
    for channel in channels:
        retry = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=first_wait, max=5),
            reraise=True,
        )
        try:
            retry(channel.send, notice)
        except Exception as error:  # noqa: BLE001 - whatever a server does, the run goes on
            failed.append(channel.name)
            # An error's text may contain the address, which is a secret.
            logger.error(  # noqa: TRY400
                "%s: not delivered by %s: %s", notice.title, channel.name, type(error).__name__
            )
    return failed
