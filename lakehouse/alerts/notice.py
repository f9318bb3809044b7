"""One notice to an owner: what broke, where, how many, since when, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.model.contract import Channel

LONGEST = 2_900  # Slack refuses a block of more than 3,000 characters


@dataclass(frozen=True)
class Notice:
    """The content of one alert; `kind` is why it is sent."""

    kind: Literal["breach", "warning", "failure", "resolved"]
    domain: str
    dataset: str
    layer: str
    rule: str
    message: str
    since: datetime
    owner: str = ""
    channels: tuple[Channel, ...] = ()
    count: int | None = None
    table: str = ""
    last_good: str = ""
    sample: tuple[str, ...] = ()
    run: int = 0
    reminder: bool = False

    @property
    def title(self) -> str:
        """Return the notice in one line, as a subject."""
        words = {
            "breach": "breach of contract",
            "warning": "warning",
            "failure": "failure",
            "resolved": "resolved",
        }
        again = " (still)" if self.reminder else ""
        return f"[{self.domain}] {words[self.kind]}{again}: {self.dataset}, {self.rule}"

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Return the facts as (name, text), without those that are empty."""
        stops = self.kind == "breach"
        facts = [
            ("what", self.message),
            ("where", f"{self.layer} layer{f', {self.table}' if self.table else ''}"),
            ("how many", "" if self.count is None else f"{self.count:,}"),
            ("since", f"{self.since:%Y-%m-%d %H:%M} UTC"),
            ("stopped", "this dataset and what depends on it; the others go on" if stops else ""),
            ("last good version", self.last_good),
            ("sample", "; ".join(self.sample)),
            ("owner", self.owner),
            ("run", str(self.run) if self.run else ""),
            ("next", self.next_command),
        ]
        return [(name, text) for name, text in facts if text]

    @property
    def next_command(self) -> str:
        """Return the command that shows more, or that goes on once the cause is gone."""
        if self.kind == "resolved":
            return f"lakehouse status {self.domain}"
        if self.layer == "silver":
            return f"lakehouse quarantine list {self.domain}; after the fix: lakehouse run {self.domain}"
        return f"lakehouse status {self.domain}; after the fix: lakehouse run {self.domain}"

    @property
    def text(self) -> str:
        """Return the whole notice as plain text."""
        return "\n".join([self.title, *[f"{name}: {text}" for name, text in self.lines]])

    def to_json(self) -> dict[str, Any]:
        """Return the body that Slack's incoming webhooks take, and what understands the same."""
        facts = "\n".join(f"*{name}:* {text}" for name, text in self.lines)
        body: dict[str, Any] = {
            "text": self.title,
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": self.title[:150]}},
                {"type": "section", "text": {"type": "mrkdwn", "text": facts[:LONGEST]}},
            ],
        }
        rooms = [channel.name for channel in self.channels if channel.tool == "slack"]
        return body | ({"channel": rooms[0]} if rooms else {})
