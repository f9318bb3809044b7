"""What the engine reads from `customProperties`: strict shapes, so that a typo is an error."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """A declaration that refuses a key it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CaptureDeclaration(Strict):
    """One way in which files arrive."""

    method: Literal["files", "debezium"]
    path: str
    format: Literal["parquet", "debezium-json", "kafka-json"]
    order: str = ""


class LinkDeclaration(Strict):
    """A link: its name and the columns that tell two rows of the same members apart."""

    name: str
    dependent: tuple[str, ...] = ()
    historized: bool = True


class VaultDeclaration(Strict):
    """Hubs by name with their key columns, a link where rows join hubs, one satellite."""

    hubs: dict[str, tuple[str, ...]] = Field(min_length=1)
    link: LinkDeclaration | None = None
    satellite: str = ""

    @model_validator(mode="after")
    def _events_somewhere(self) -> VaultDeclaration:
        if (self.link is None or self.link.historized) and not self.satellite:
            raise ValueError("a satellite is needed unless the link is not historized")
        if self.link is None and len(self.hubs) != 1:
            raise ValueError("several hubs need a link")
        return self


class CleanseDeclaration(Strict):
    """How one column's text is made clean."""

    trim: bool = False
    case: Literal["", "upper", "lower"] = ""
    nullTokens: tuple[str, ...] = ()
    mapping: dict[str, str] = {}
    default: str | None = None


class FeaturesDeclaration(Strict):
    """A feature set: its table, the entity's columns, the instant from which a row may be used."""

    table: str
    entity: tuple[str, ...] = Field(min_length=1)
    timestamp: str
    maximumAgeDays: int | None = None


class ScoreDeclaration(Strict):
    """A model that scores events: training examples, features, the stream and what to do."""

    trainer: str
    examples: str
    entity: tuple[str, ...]
    timestamp: str
    label: str
    features: dict[str, tuple[str, ...]]
    events: dict[str, Any]
    context: str
    actions: dict[str, Any]
    table: str


class EnrichDeclaration(Strict):
    """An inference job: which rows, which text, which model, where the results go."""

    table: str
    source: str
    key: tuple[str, ...]
    text: tuple[str, ...]
    model: str
    batch: int = Field(default=1024, gt=0)


DECLARATIONS: dict[str, type[Strict]] = {
    "vault": VaultDeclaration,
    "features": FeaturesDeclaration,
    "score": ScoreDeclaration,
    "enrich": EnrichDeclaration,
}
