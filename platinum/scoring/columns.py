"""The columns that a score contract names, by the part they play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ScoreColumns:
    """The columns of events, candidates and validity, as a contract's `score` declares them."""

    key: str
    entity: tuple[str, ...]
    timestamp: str
    operations: tuple[str, ...]
    candidate: tuple[str, ...]
    known_from: str
    valid_from: str
    valid_to: str

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> ScoreColumns:
        """Return the columns of a contract's `score`."""
        events, context = declared["events"], declared["context"]
        return cls(
            events["key"], tuple(events["entity"]), events["timestamp"], tuple(events["operations"]),
            tuple(context["candidate"]),
            context["knownFrom"], context["validFrom"], context["validTo"],
        )  # fmt: skip

    @property
    def of_event(self) -> tuple[str, ...]:
        """Return the columns of a bronze row without which its event cannot be scored."""
        return tuple(dict.fromkeys((self.key, *self.entity, self.timestamp)))

    @property
    def of_candidate(self) -> tuple[str, ...]:
        """Return the columns of a candidate besides its entity: its key and when it is valid."""
        return (*self.candidate, self.known_from, self.valid_from, self.valid_to)
