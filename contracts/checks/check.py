"""A row check: the arguments it takes, and what the gate, Pandera, the suite and the diff make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from contracts.checks.values import sql_literal, typed

# What an argument is: a value of the column's type, a list of such, a number of characters or
# items, a text, a regular expression, true or false
Argument = Literal["value", "values", "size", "text", "pattern", "flag"]
Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """The arguments of one rule, values as the column has them."""

    values: Arguments
    spark_type: str

    def __getitem__(self, argument: str) -> Any:
        return self.values[argument]

    def get(self, argument: str, default: Any = None) -> Any:
        """Return an argument, or the default where the rule does not give it."""
        return self.values.get(argument, default)

    def sql(self, argument: str) -> str:
        """Return an argument as SQL; a list as its items with commas between."""
        value = self.values[argument]
        items = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]
        return ", ".join(sql_literal(item, self.spark_type) for item in items)


@dataclass(frozen=True)
class Bound:
    """One end of a range; a strict one excludes its value."""

    value: Any
    strict: bool


@dataclass(frozen=True)
class Bounds:
    """The range that a check allows; an end that is not bounded is None."""

    low: Bound | None = None
    high: Bound | None = None


@dataclass(frozen=True)
class Expected:
    """A check as Great Expectations has it: the type's name and its arguments but the column."""

    type: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class RuleChange:
    """How a rule changed: in words, and whether rows that were valid may fail now."""

    message: str
    tightened: bool


def _always(_: Arguments) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Check:
    """A row check. `name` is Pandera's; `columns` are the types it validates, without their sizes.

    `needs` are the arguments a rule must give, `may` those it may give, `one_of` those of which it
    gives at least one. No check but `required` validates a null, so none has to handle it.

    - `condition` returns the SQL that is true for a valid value, from the column's SQL name and
      the arguments; `expressible` returns whether these arguments have that SQL. Without it the
      gate runs `function` on Arrow batches.
    - `function` is the check in Python: of a pandas Series and the arguments by name, it returns a
      boolean Series; `element_wise` of one value. Pandera gets it where it has no such check.
    - `expectation` returns the Great Expectations type for the derived suite, if there is one.
    - `problem` returns what is wrong with the arguments, nothing where they make sense.
    - `bounds` returns the range that the check allows; all checks that have it are compared as one
      range by `contracts diff`. `compare` compares two versions of any other check's arguments;
      without either every change is breaking.
    - `options` are the ODCS options that declare the check, each with the argument it gives;
      `aliases` are other names; `words` is the check as catalogs show it.
    """

    name: str
    columns: tuple[str, ...]
    needs: Mapping[str, Argument] = field(default_factory=dict[str, Argument])
    may: Mapping[str, Argument] = field(default_factory=dict[str, Argument])
    one_of: Mapping[str, Argument] = field(default_factory=dict[str, Argument])
    condition: Callable[[str, Given], str] | None = None
    expressible: Callable[[Arguments], bool] = _always
    function: Callable[..., Any] | None = None
    element_wise: bool = False
    expectation: Callable[[Arguments], Expected] | None = None
    problem: Callable[[Given], str | None] | None = None
    bounds: Callable[[Arguments], Bounds] | None = None
    compare: Callable[[Arguments, Arguments], RuleChange] | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    aliases: tuple[str, ...] = ()
    words: str = ""

    @property
    def takes(self) -> dict[str, Argument]:
        """Return all arguments by name."""
        return {**self.needs, **self.may, **self.one_of}

    def has_sql(self, arguments: Arguments) -> bool:
        """Return whether the gate validates the check in SQL; Python does where it cannot."""
        return self.condition is not None and self.expressible(arguments)

    def accepts(self, arguments: Arguments) -> bool:
        """Return whether these are arguments of the check: none missing, none unknown."""
        given = set(arguments)
        enough = not self.one_of or bool(given & set(self.one_of))
        return set(self.needs) <= given <= set(self.takes) and enough

    def given(self, arguments: Arguments, spark_type: str) -> Given:
        """Return the arguments as values of the column's type.

        A null among allowed or forbidden values is dropped.

        Raises:
            ValueError: an argument is none.
        """
        takes = self.takes
        values = {
            name: _argument(name, value, takes[name], spark_type)
            for name, value in arguments.items()
        }
        return Given(values, spark_type)


def _argument(name: str, value: Any, kind: Argument, spark_type: str) -> Any:
    if kind == "value":
        return typed(value, spark_type)
    if kind == "values":
        if not isinstance(value, list | tuple):
            raise ValueError(f"{name} is a list")
        items = cast("Sequence[Any]", value)
        return [typed(item, spark_type) for item in items if item is not None]
    if kind == "size":
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} {value!r} is no length")
    elif kind == "flag":
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
    elif not isinstance(value, str):
        raise ValueError(f"{name} {value!r} is no text; write it in quotes")
    return value
