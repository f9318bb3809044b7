"""The channels an alert goes out by: the log always, webhook and mail where the environment names them."""

from __future__ import annotations

import json
import logging
import os
import smtplib
import ssl
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from tenacity import Retrying, stop_after_attempt, wait_exponential

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.alerts.notice import Notice

log = logging.getLogger("lakehouse.alerts")
WEBHOOK, SMTP = "LAKEHOUSE_ALERT_WEBHOOK", "LAKEHOUSE_ALERT_SMTP"
PASSWORD, FROM, TO = (
    "LAKEHOUSE_ALERT_SMTP_PASSWORD",
    "LAKEHOUSE_ALERT_FROM",
    "LAKEHOUSE_ALERT_TO",
)
TIMEOUT = 10.0
ATTEMPTS, FIRST_WAIT = 3, 0.5


class AlertChannel(Protocol):
    """One channel through which notices are sent."""

    @property
    def name(self) -> str:
        """Return the name of the channel in the log."""
        ...

    def send(self, notice: Notice) -> None:
        """Send a notice; raise where it did not arrive."""
        ...


class LogChannel:
    """The process's own log."""

    name = "log"

    def send(self, notice: Notice) -> None:
        """Write the notice as one record."""
        level = logging.INFO if notice.kind == "resolved" else logging.WARNING
        log.log(level, "%s", notice.text)


@dataclass(frozen=True)
class WebhookChannel:
    """An address that takes JSON as Slack does; the address is a secret."""

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


@dataclass(frozen=True)
class MailChannel:
    """A mail server: `smtp://user@host:port` (STARTTLS where it is offered) or `smtps://`."""

    host: str
    port: int
    secure: bool
    user: str
    password: str
    sender: str
    to: tuple[str, ...]
    name: str = "mail"

    def send(self, notice: Notice) -> None:
        """Send the notice to the owner's addresses and to those of the environment."""
        owners = [channel.address for channel in notice.channels if channel.tool == "email"]
        receivers = list(dict.fromkeys([*filter(None, owners), *self.to]))
        if not receivers:
            return
        message = EmailMessage()
        message["Subject"] = " ".join(notice.title.split())
        message["From"], message["To"] = self.sender, ", ".join(receivers)
        message.set_content(notice.text)
        context = ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=context)
            if self.secure
            else smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
        ) as server:
            if not self.secure and server.has_extn("starttls"):
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)


def configured_channels(environment: Mapping[str, str] | None = None) -> list[AlertChannel]:
    """Return the channels that the environment configures; secrets stand nowhere else.

    Raises:
        UsageError: an address is malformed. The message names the variable, never its value.
    """
    given = os.environ if environment is None else environment
    channels: list[AlertChannel] = [LogChannel()]
    if url := given.get(WEBHOOK):
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(f"{WEBHOOK} is no http or https address")
        channels.append(WebhookChannel(url))
    if address := given.get(SMTP):
        channels.append(_mail(address, given))
    return channels


def _mail(address: str, given: Mapping[str, str]) -> MailChannel:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise UsageError(f"{SMTP} is no address such as smtp://user@host:587")
    secure = parts.scheme == "smtps"
    return MailChannel(
        parts.hostname,
        port or (465 if secure else 25),
        secure,
        unquote(parts.username or ""),
        given.get(PASSWORD, ""),
        given.get(FROM) or "lakehouse@localhost",
        tuple(part.strip() for part in given.get(TO, "").split(",") if part.strip()),
    )


def deliver(
    notice: Notice, channels: list[AlertChannel], first_wait: float = FIRST_WAIT
) -> list[str]:
    """Send a notice through every channel, with retries; return the names of those that failed.

    Nothing is raised: a failed delivery is logged, and stops no data.
    """
    failed = []
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
            log.error(  # noqa: TRY400
                "%s: not delivered by %s: %s", notice.title, channel.name, type(error).__name__
            )
    return failed
