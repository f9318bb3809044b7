"""Mail by a server: `LAKEHOUSE_ALERT_SMTP` and the variables that begin with it."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.alerts.notice import Notice

SMTP, PASSWORD = "LAKEHOUSE_ALERT_SMTP", "LAKEHOUSE_ALERT_SMTP_PASSWORD"
FROM, TO = "LAKEHOUSE_ALERT_FROM", "LAKEHOUSE_ALERT_TO"
TIMEOUT = 10.0


def channel(environment: Mapping[str, str]) -> EmailChannel | None:
    """Return the mail server of the environment; raise UsageError where its address is malformed."""
    address = environment.get(SMTP)
    if not address:
        return None
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise UsageError(f"{SMTP} is no address such as smtp://user@host:587")
    secure = parts.scheme == "smtps"
    return EmailChannel(
        parts.hostname,
        port or (465 if secure else 25),
        secure,
        unquote(parts.username or ""),
        environment.get(PASSWORD, ""),
        environment.get(FROM) or "lakehouse@localhost",
        tuple(part.strip() for part in environment.get(TO, "").split(",") if part.strip()),
    )


@dataclass(frozen=True)
class EmailChannel:
    """A mail server: `smtp://user@host:port` (STARTTLS where it is offered) or `smtps://`."""

    host: str
    port: int
    secure: bool
    user: str
    password: str
    sender: str
    to: tuple[str, ...]
    name: str = "email"

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
