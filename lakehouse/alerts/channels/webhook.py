"""A webhook that takes JSON as Slack's incoming webhooks do: `LAKEHOUSE_ALERT_WEBHOOK`."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.alerts.notice import Notice

VARIABLE = "LAKEHOUSE_ALERT_WEBHOOK"
TIMEOUT = 10.0


def channel(environment: Mapping[str, str]) -> WebhookChannel | None:
    """Return the webhook of the environment; raise UsageError where it is no http address."""
    url = environment.get(VARIABLE)
    if not url:
        return None
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"{VARIABLE} is no http or https address")
    return WebhookChannel(url)


@dataclass(frozen=True)
class WebhookChannel:
    """One address, which is a secret."""

    url: str
    name: str = "webhook"

    def send(self, notice: Notice) -> None:
        """Post the notice; a response of 400 or above is an error."""
        body = json.dumps(notice.to_json()).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when it was read
            self.url, body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            response.read()
