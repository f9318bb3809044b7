"""The base of what a contract declares: a key that is not declared is refused, so a typo is an error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A frozen declaration that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
