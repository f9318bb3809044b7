"""The ways a notice goes out: the log always, a webhook and mail where the environment names them."""

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


class Sender(Protocol):
    """One way out."""

    @property
    def name(self) -> str:
        """Return what the log calls it."""
        ...

    def send(self, notice: Notice) -> None:
        """Send a notice; raise where it did not arrive."""
        ...


class Log:
    """The process's own log."""

    name = "log"

    def send(self, notice: Notice) -> None:
        """Write the notice as one record."""
        level = logging.INFO if notice.kind == "resolved" else logging.WARNING
        log.log(level, "%s", notice.text)


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON as Slack does; the address is a secret."""

    url: str
    name: str = "webhook"

    def send(self, notice: Notice) -> None:
        """Post the notice; an answer of 400 or above is an error."""
        body = json.dumps(notice.to_json()).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when it was read
            self.url, body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            answer.read()


@dataclass(frozen=True)
class Mail:
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
        owners = [each.address for each in notice.channels if each.tool == "email"]
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


def senders(environment: Mapping[str, str] | None = None) -> list[Sender]:
    """Return the ways out that the environment names; secrets stand nowhere else.

    Raises:
        UsageError: an address is none. The message names the variable, never its value.
    """
    given = os.environ if environment is None else environment
    found: list[Sender] = [Log()]
    if url := given.get(WEBHOOK):
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(f"{WEBHOOK} is no http or https address")
        found.append(Webhook(url))
    if address := given.get(SMTP):
        found.append(_mail(address, given))
    return found


def _mail(address: str, given: Mapping[str, str]) -> Mail:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise UsageError(f"{SMTP} is no address such as smtp://user@host:587")
    secure = parts.scheme == "smtps"
    return Mail(
        parts.hostname,
        port or (465 if secure else 25),
        secure,
        unquote(parts.username or ""),
        given.get(PASSWORD, ""),
        given.get(FROM) or "lakehouse@localhost",
        tuple(each.strip() for each in given.get(TO, "").split(",") if each.strip()),
    )


def deliver(notice: Notice, ways: list[Sender], first_wait: float = FIRST_WAIT) -> list[str]:
    """Send a notice by every way, each tried a few times; return the names of those that failed.

    Nothing is raised: that nobody could be told is logged, and stops no data.
    """
    failed = []
    for way in ways:
        retry = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=first_wait, max=5),
            reraise=True,
        )
        try:
            retry(way.send, notice)
        except Exception as error:  # noqa: BLE001 - whatever a server does, the run goes on
            failed.append(way.name)
            # An error's text may hold the address, which is a secret.
            log.error("%s: not told by %s: %s", notice.title, way.name, type(error).__name__)  # noqa: TRY400
    return failed
