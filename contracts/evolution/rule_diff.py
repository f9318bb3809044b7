"""Which rules of a contract became stricter, and which less so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contracts.model.contract import Contract
    from contracts.model.rules import Rule

LOW = {"greater_than", "greater_than_or_equal_to"}
HIGH = {"less_than", "less_than_or_equal_to"}
Key = tuple[str, str]


def rule_changes(old: Contract, new: Contract) -> Iterator[tuple[str, str, bool]]:
    """Yield (column, what changed, whether rows that were good may fail now) for each rule.

    A column that is new or gone is told of elsewhere, with its rules.
    """
    before, after = _by_place(old), _by_place(new)
    shared = set(old.names) & set(new.names)
    for place in dict.fromkeys([*before, *after]):
        column = place[0]
        was, now = before.get(place, []), after.get(place, [])
        if was == now or (column and column not in shared):
            continue
        if _stops(was) != _stops(now) or not _stops(now):
            yield from _severity(column, place[1], was, now)
        elif _arguments(was) != _arguments(now):
            yield (column, *_compared(place[1], _arguments(was), _arguments(now)))


def whole_rule_changes(old: Contract, new: Contract) -> Iterator[tuple[str, bool]]:
    """Yield (what changed, whether what was good may fail now) for rules on several columns.

    They are the conditions of a row, unique columns, references and the rules of the dataset; what
    is renamed counts as one gone and one new. Where one changed, nobody can say it is looser.
    """
    for kind, was, now in (
        ("rule", old.row_rules, new.row_rules),
        ("rule", old.unique, new.unique),
        ("reference", old.references, new.references),
        ("dataset rule", old.dataset_rules, new.dataset_rules),
    ):
        before, after = _by_label(was), _by_label(now)
        for label in dict.fromkeys([*before, *after]):
            one, other = before.get(label), after.get(label)
            if one == other:
                continue
            what = "is gone" if other is None else "is new" if one is None else "changed"
            stops = other is not None and other.severity == "error"
            yield f"{kind} '{label}' {what}", stops


def _by_label(rules: Iterable[Any]) -> dict[str, Any]:
    """Return rules by the name they are reported under, without what does not judge."""
    found = {}
    for rule in rules:
        words = {name: "" for name in ("place", "description") if hasattr(rule, name)}
        found[getattr(rule, "label", "") or rule.name] = replace(rule, **words)
    return found


def _by_place(contract: Contract) -> dict[Key, list[Rule]]:
    found: dict[Key, list[Rule]] = {}
    for rule in contract.rules:
        check = "range" if rule.check in (*LOW, *HIGH, "in_range") else rule.check
        column = getattr(rule, "column", "") or ""
        found.setdefault((column, f"{check}{'' if rule.severity == 'error' else ' '}"), []).append(
            rule
        )
    return found


def _stops(rules: list[Rule]) -> bool:
    return any(rule.severity == "error" for rule in rules)


def _severity(
    column: str, check: str, was: list[Rule], now: list[Rule]
) -> Iterator[tuple[str, str, bool]]:
    check = check.strip()
    if _stops(now):
        yield column, "required now" if check == "required" else f"new rule {check}", True
    elif _stops(was):
        yield column, f"rule {check} is gone", False
    else:
        yield column, f"warning {check} changed", False


def _arguments(rules: list[Rule]) -> dict[str, Any]:
    """Return the arguments of all rules of a place as one, a range as its two ends."""
    found: dict[str, Any] = {}
    for rule in rules:
        given = rule.arguments
        if rule.check in LOW or rule.check == "in_range":
            _tighter(found, "low", given.get("min_value"), strict=_is_strict(rule, "min"))
        if rule.check in HIGH or rule.check == "in_range":
            _tighter(found, "high", given.get("max_value"), strict=_is_strict(rule, "max"))
        if rule.check not in (*LOW, *HIGH, "in_range"):
            found |= given
    return found


def _is_strict(rule: Rule, end: str) -> bool:
    return rule.check in ("greater_than", "less_than") or (
        rule.check == "in_range" and not rule.arguments.get(f"include_{end}", True)
    )


def _tighter(found: dict[str, Any], end: str, value: Any, *, strict: bool) -> None:
    if value is None:
        return
    bound = (value, strict if end == "low" else not strict)
    best = max if end == "low" else min
    found[end] = best(found[end], bound) if end in found else bound


def _compared(check: str, was: dict[str, Any], now: dict[str, Any]) -> tuple[str, bool]:
    shown = f"{_shown(was)} to {_shown(now)}"
    if check == "range":
        return f"range changed from {shown}", _narrower(was, now, "low", "high")
    if check == "str_length" and "exact_value" not in was | now:
        return f"length changed from {shown}", _narrower(was, now, "min_value", "max_value")
    if check == "isin":
        gone = [v for v in was["allowed_values"] if v not in now["allowed_values"]]
        more = [v for v in now["allowed_values"] if v not in was["allowed_values"]]
        words = [f"{w} {v}" for w, v in (("no more", gone), ("also", more)) if v]
        return f"allowed values: {', '.join(words) or 'in another order'}", bool(gone)
    if check == "notin":
        more = [v for v in now["forbidden_values"] if v not in was["forbidden_values"]]
        return f"forbidden values changed from {shown}", bool(more)
    return f"rule {check} changed from {shown}", True


def _narrower(was: dict[str, Any], now: dict[str, Any], low: str, high: str) -> bool:
    if low in now and (low not in was or now[low] > was[low]):
        return True
    return high in now and (high not in was or now[high] < was[high])


def _shown(arguments: dict[str, Any]) -> str:
    parts = []
    for name, value in arguments.items():
        if isinstance(value, tuple):
            bound, mark = value
            sign = (">" if mark else ">=") if name == "low" else ("<=" if mark else "<")
            parts.append(f"{sign} {bound}")
        else:
            parts.append(str(value) if len(arguments) == 1 else f"{name} {value}")
    return ", ".join(parts) or "none"
