"""The rules of a contract, as loaded: row rules on a value or a row, and cross-row rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """One check of one column: its name, its arguments and what a failure means.

    `error` sends the row to quarantine, `warning` lets it pass with a flag. `source` is where
    the Python code of a check lies: `module:function`, or the module that registers it.
    """

    column: str
    check: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any], hash=False)
    severity: Severity = "error"
    name: str = ""
    description: str = ""
    source: str = ""

    @property
    def label(self) -> str:
        """Return the name under which a failure is reported."""
        return self.name or self.check


@dataclass(frozen=True)
class RowRule:
    """One condition over several columns of a row, in SQL; a row for which it is false breaks it.

    As in SQL's own constraints, a row for which it is null keeps it.
    """

    name: str
    columns: tuple[str, ...]
    sql: str
    severity: Severity = "error"
    description: str = ""


@dataclass(frozen=True)
class Unique:
    """Columns that no two current rows may share values of; a row with a null among them may."""

    columns: tuple[str, ...]
    severity: Severity = "error"
    name: str = ""
    description: str = ""

    @property
    def label(self) -> str:
        """Return the name under which a repetition is reported."""
        return self.name or f"unique {', '.join(self.columns)}"


@dataclass(frozen=True)
class Reference:
    """Columns whose values occur in columns of another dataset's current rows, nulls aside.

    `place` is the file and line that say so.
    """

    columns: tuple[str, ...]
    dataset: str
    to: tuple[str, ...]
    severity: Severity = "warning"
    name: str = ""
    place: str = ""

    @property
    def label(self) -> str:
        """Return the name under which a row without a counterpart is reported."""
        return self.name or f"{', '.join(self.columns)} in {self.dataset}"
