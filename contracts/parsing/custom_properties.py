"""What the engine reads from `customProperties`: strict shapes, so that a typo is an error."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field, field_validator, model_validator

from contracts.model import capture_formats
from contracts.model.strict import Strict


class CaptureDeclaration(Strict):
    """One way in which files arrive."""

    method: Literal["files", "debezium"]
    path: str
    format: str
    order: str = ""

    @field_validator("format")
    @classmethod
    def _has_a_reader(cls, value: str) -> str:
        if value not in capture_formats.FORMATS:
            formats = ", ".join(capture_formats.FORMATS)
            raise ValueError(f"no kind of source has the format '{value}'; formats: {formats}")
        return value


class LinkDeclaration(Strict):
    """A link: its name and the columns that distinguish two rows of the same members."""

    name: str
    dependent: tuple[str, ...] = ()
    historized: bool = True


class VaultDeclaration(Strict):
    """Hubs by name with their key columns, a link where rows join hubs, one satellite.

    Where this dataset names a hub's key otherwise than others do: the hub's column, and ours.

    A dataset without a primary key has no hub: its rows are identified by their content alone.
    """

    hubs: dict[str, tuple[str, ...] | dict[str, str]] = Field(
        default_factory=dict[str, tuple[str, ...] | dict[str, str]]
    )
    link: LinkDeclaration | None = None
    satellite: str = ""

    @model_validator(mode="after")
    def _events_somewhere(self) -> VaultDeclaration:
        if (self.link is None or self.link.historized) and not self.satellite:
            raise ValueError("a satellite is needed unless the link is not historized")
        if self.link is None and len(self.hubs) > 1:
            raise ValueError("several hubs need a link")
        if self.link is not None and not self.hubs:
            raise ValueError("a link needs hubs")
        return self


class CleanseDeclaration(Strict):
    """How one column's text is made clean."""

    trim: bool = False
    case: Literal["", "upper", "lower"] = ""
    nullTokens: tuple[str, ...] = ()
    mapping: dict[str, str] = Field(default_factory=dict[str, str])
    default: str | None = None


class EvolutionDeclaration(Strict):
    """What a column was before: the names it had, newest first, and its value where it had none.

    A change log has no record of a column that is renamed or added with a default: the table has
    the new name and the default, records from before have the old name or no value.
    """

    previousNames: tuple[str, ...] = ()
    absent: str | None = None


class ReferenceDeclaration(Strict):
    """A column whose values are found in the column of that name of another gold table."""

    column: str
    to: str


class AuditDeclaration(Strict):
    """What is audited in the rows of a gold table beside its contract's rules, before publication.

    `key` identifies a row where entity and timestamp do not; `expressions` are conditions by
    name, in SQL.
    """

    key: tuple[str, ...] = ()
    expressions: dict[str, str] = Field(default_factory=dict[str, str])
    references: tuple[ReferenceDeclaration, ...] = ()


class FeaturesDeclaration(Strict):
    """A feature set: its table, the entity's columns, the instant from which a row may be used.

    A row older than `maximumAgeDays` at the entity's instant counts as missing.
    """

    table: str
    entity: tuple[str, ...] = Field(min_length=1)
    timestamp: str
    maximumAgeDays: int | None = Field(default=None, gt=0)
    audit: AuditDeclaration = AuditDeclaration()


class ExamplesDeclaration(Strict):
    """The rows a model learns from: who, when, with what outcome.

    `query` reads lakehouse tables and yields one row an example. `finalFrom` is the column of the
    instant from which the label is final (`settled` up to 0.2.0, still read); `require` names the
    feature sets without whose row an example is not used. The newest `testShare` of examples
    evaluate the model.
    """

    query: str
    entity: tuple[str, ...] = Field(min_length=1)
    timestamp: str
    label: str
    finalFrom: str = Field(validation_alias=AliasChoices("finalFrom", "settled"))
    require: tuple[str, ...] = ()
    testShare: float = Field(default=0.3, gt=0, lt=1)


class EventsDeclaration(Strict):
    """The bronze rows that are scored: several rows with one `key` are one event of one entity."""

    dataset: str
    key: str
    entity: tuple[str, ...] = Field(min_length=1)
    timestamp: str
    operations: tuple[Literal["c", "u", "r"], ...] = ("c",)


class ContextDeclaration(Strict):
    """The gold rows an event meets: an entity's candidates with their features while they hold.

    A row meets events from both `knownFrom` (its features saw what came before) and `validFrom`
    on, until before `validTo`, where a null never comes.
    """

    table: str
    candidate: tuple[str, ...] = Field(min_length=1)
    knownFrom: str
    validFrom: str
    validTo: str


class ActionsDeclaration(Strict):
    """What is done with a score: `best` for an event's best candidate if it is good enough.

    Good enough is a score that at most `share` of the test examples reached; everything else
    gets `otherwise`.
    """

    best: str
    otherwise: str
    share: float = Field(gt=0, lt=1)


class ScoreDeclaration(Strict):
    """A model that scores events: training examples, features, the stream and what to do.

    `trainer` is `module:function`, below the domain's own package; the function returns the
    estimator to be fitted. `features` names, for each feature set, the columns the model sees.
    """

    trainer: str = Field(pattern=r"^domains\.[a-z_0-9]+\.[a-z_0-9.]+:[a-z_0-9]+$")
    seed: int = 0
    examples: ExamplesDeclaration
    features: dict[str, tuple[str, ...]] = Field(min_length=1)
    events: EventsDeclaration
    context: ContextDeclaration
    actions: ActionsDeclaration
    table: str

    @model_validator(mode="after")
    def _known_sets(self) -> ScoreDeclaration:
        unknown = set(self.examples.require) - set(self.features)
        if unknown:
            raise ValueError(f"examples.require names {sorted(unknown)}, not among features")
        columns = [name for names in self.features.values() for name in names]
        repeated = sorted({name for name in columns if columns.count(name) > 1})
        if repeated:
            raise ValueError(f"features names {repeated} more than once")
        return self


class EnrichDeclaration(Strict):
    """An inference job: which rows, which text, which model, where the results go.

    The rows are the current ones of the dataset `source`, their text the columns `text` in `case`
    with commas between. A result is known by text, model, version, dimensions and normalize;
    `batch` texts make a call, `commitRows` rows a commit.
    """

    table: str
    source: str
    text: tuple[str, ...] = Field(min_length=1)
    case: Literal["", "upper", "lower"] = ""
    model: str
    version: str
    dimensions: int = Field(gt=0)
    normalize: bool = True
    batch: int = Field(default=1024, gt=0)
    commitRows: int = Field(default=20_000, gt=0)


DECLARATIONS: dict[str, type[Strict]] = {
    "vault": VaultDeclaration,
    "features": FeaturesDeclaration,
    "score": ScoreDeclaration,
    "enrich": EnrichDeclaration,
}
