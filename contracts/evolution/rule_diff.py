"""Which rules of a contract became stricter, and which less so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contracts.checks.change import is_narrower, shown
from contracts.checks.check import Bounds, RuleChange
from contracts.checks.registry import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contracts.model.contract import Contract
    from contracts.model.rules import Rule

# What all checks that bound a range are compared as
RANGE = "range"
Place = tuple[str, str]


def rule_changes(old: Contract, new: Contract) -> Iterator[tuple[str, RuleChange]]:
    """Yield (column, change) for each rule of a column that differs.

    A column that is new or gone is a change of its own, rules included.
    """
    before, after = _by_place(old), _by_place(new)
    shared = set(old.names) & set(new.names)
    for place in dict.fromkeys([*before, *after]):
        (column, check), was, now = place, before.get(place, []), after.get(place, [])
        if was == now or column not in shared:
            continue
        if _stops(was) != _stops(now) or not _stops(now):
            yield column, _severity_change(check.strip(), was, now)
        elif check == RANGE:
            old_range, new_range = _range(was), _range(now)
            if old_range != new_range:
                yield column, _range_change(old_range, new_range)
        elif _arguments(was) != _arguments(now):
            yield column, _compared(check, _arguments(was), _arguments(now))


def whole_rule_changes(old: Contract, new: Contract) -> Iterator[RuleChange]:
    """Yield each change of a rule on several columns.

    They are the conditions of a row, unique columns, references and the rules of the dataset; what
    is renamed counts as one gone and one new. Whether a changed one is looser cannot be decided.
    """
    for kind, was, now in (
        ("rule", old.row_rules, new.row_rules),
        ("rule", old.unique, new.unique),
        ("reference", old.references, new.references),
        ("dataset rule", old.dataset_rules, new.dataset_rules),
    ):
        before, after = _by_label(was), _by_label(now)
        for label in dict.fromkeys([*before, *after]):
            earlier, later = before.get(label), after.get(label)
            if earlier == later:
                continue
            verb = "is gone" if later is None else "is new" if earlier is None else "changed"
            stops = later is not None and later.severity == "error"
            yield RuleChange(f"{kind} '{label}' {verb}", stops)


def _by_label(rules: Iterable[Any]) -> dict[str, Any]:
    """Return rules by the name they are reported under, without their place and description."""
    labelled: dict[str, Any] = {}
    for rule in rules:
        words = {name: "" for name in ("place", "description") if hasattr(rule, name)}
        labelled[getattr(rule, "label", "") or rule.name] = replace(rule, **words)
    return labelled


def _by_place(contract: Contract) -> dict[Place, list[Rule]]:
    """Return rules by column and check, warnings apart from errors; all ranges are one check."""
    places: dict[Place, list[Rule]] = {}
    for rule in contract.rules:
        check = CHECKS.get(rule.check)
        name = RANGE if check is not None and check.bounds else rule.check
        mark = "" if rule.severity == "error" else " "
        places.setdefault((rule.column, f"{name}{mark}"), []).append(rule)
    return places


def _stops(rules: list[Rule]) -> bool:
    return any(rule.severity == "error" for rule in rules)


def _severity_change(check: str, was: list[Rule], now: list[Rule]) -> RuleChange:
    if _stops(now):
        message = "required now" if check == "required" else f"new rule {check}"
        return RuleChange(message, tightened=True)
    if _stops(was):
        return RuleChange(f"rule {check} is gone", tightened=False)
    return RuleChange(f"warning {check} changed", tightened=False)


def _arguments(rules: list[Rule]) -> dict[str, Any]:
    """Return the arguments of all rules of a place as one."""
    return {name: value for rule in rules for name, value in rule.arguments.items()}


def _compared(check: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> RuleChange:
    entry = CHECKS.get(check)
    if entry is not None and entry.compare is not None:
        return entry.compare(was, now)
    return RuleChange(f"rule {check} changed from {shown(was)} to {shown(now)}", tightened=True)


def _range(rules: list[Rule]) -> dict[str, tuple[Any, bool]]:
    """Return the range that all rules of a place allow: its ends, the greater one the tighter.

    A low end is (value, strict), a high one (value, inclusive), so that ends compare as values.
    """
    ends: dict[str, tuple[Any, bool]] = {}
    for rule in rules:
        check = CHECKS[rule.check]
        bounds = check.bounds(rule.arguments) if check.bounds else Bounds()
        if bounds.low is not None:
            low = (bounds.low.value, bounds.low.strict)
            ends["low"] = max(ends.get("low", low), low)
        if bounds.high is not None:
            high = (bounds.high.value, not bounds.high.strict)
            ends["high"] = min(ends.get("high", high), high)
    return ends


def _range_change(was: dict[str, tuple[Any, bool]], now: dict[str, tuple[Any, bool]]) -> RuleChange:
    message = f"range changed from {_shown_range(was)} to {_shown_range(now)}"
    return RuleChange(message, is_narrower(was, now, "low", "high"))


def _shown_range(ends: dict[str, tuple[Any, bool]]) -> str:
    signs = {("low", True): ">", ("low", False): ">=", ("high", True): "<=", ("high", False): "<"}
    return ", ".join(f"{signs[end, mark]} {value}" for end, (value, mark) in ends.items()) or "none"
