"""The rules on several columns: row conditions, joint uniqueness, references."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contracts.model.rules import Reference, RowRule, Unique
from contracts.parsing.column_rules import severity_of
from contracts.parsing.document import implementation_of, items_at, properties_of
from contracts.types import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contracts.model.contract import Column, Contract
    from contracts.parsing.document import Document

Path = list[str | int]
TABLE = re.compile(r"[\"'`]?\$?\{(table|model|object)\}[\"'`]?")
COLUMN = re.compile(r"[\"'`]?\$?\{(column|field|property)\}[\"'`]?")
SHAPE = "a row rule reads: select count(*) from {table} where <what is wrong>, with mustBe: 0"
# What a row's own values do not decide
OUTSIDE = (
    exp.AggFunc, exp.Window, exp.Subquery, exp.Select, exp.Anonymous, exp.Rand, exp.CurrentDate,
    exp.CurrentTimestamp, exp.CurrentTime, exp.Explode, exp.Star,
)  # fmt: skip


def row_rules_of(source: Document, columns: tuple[Column, ...]) -> tuple[RowRule, ...]:
    """Return the row rules of `type: sql`; raise ContractError for a bad one."""
    rules: list[RowRule] = []
    for path, raw, column in _qualities(source):
        if raw.get("type") != "sql":
            if not column and raw.get("engine") == "pandera" and _check(raw) != "unique":
                message = "a rule of engine pandera stands at a column; the dataset's own is unique"
                raise source.error(path, message)
            continue
        names = {declared.name.lower(): declared.name for declared in columns}
        condition = _condition(source, path, raw, column)
        used: list[str] = []
        for node in condition.find_all(exp.Column):
            if node.table or node.name.lower() not in names:
                raise source.error(path, f"the query names '{node.sql()}', which is no column")
            used.append(names[node.name.lower()])
            node.set("this", exp.to_identifier(used[-1], quoted=True))
        if not used:
            raise source.error(path, "the query names no column")
        met = exp.Not(this=exp.Paren(this=_harmless(condition))).sql(dialect="databricks")
        name = raw.get("name") or f"sql {', '.join(dict.fromkeys(used))}"
        severity = severity_of(source, path, name, raw)
        text = raw.get("description", "")
        rules.append(RowRule(name, tuple(dict.fromkeys(used)), met, severity, text))
    return tuple(rules)


def _harmless(condition: Any) -> Any:
    """Return the condition so that no value makes it fail: what cannot be computed is null."""

    def safe(node: Any) -> Any:
        if isinstance(node, exp.Div | exp.Mod):
            divisor = exp.Nullif(this=node.expression.copy(), expression=exp.Literal.number(0))
            node.set("expression", divisor)
        if type(node) is exp.Cast:
            return exp.TryCast(**node.args)
        return node

    return condition.transform(safe)


def _check(raw: dict[str, Any]) -> str:
    return str(implementation_of(raw, "check").get("check", ""))


def _qualities(source: Document) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """Yield (path, item, column or nothing) of each quality item of the dataset and its columns."""
    table, path = source.data["schema"][0], ["schema", 0]
    for place, raw in enumerate(items_at(table, "quality")):
        yield [*path, "quality", place], raw, ""
    for index, column in enumerate(items_at(table, "properties")):
        for place, raw in enumerate(items_at(column, "quality")):
            yield [*path, "properties", index, "quality", place], raw, column["name"]


def _condition(source: Document, path: Path, raw: dict[str, Any], column: str) -> Any:
    query = COLUMN.sub(f"`{column}`", raw["query"]) if column else raw["query"]
    try:
        parsed = sqlglot.parse_one(TABLE.sub("rows", query), read="databricks")
    except SqlglotError as error:
        raise source.error([*path, "query"], f"query: {str(error).splitlines()[0]}") from None
    where = parsed.args.get("where")
    plain = isinstance(parsed, exp.Select) and where is not None and raw.get("mustBe") == 0
    counted = plain and [item.sql().lower() for item in parsed.expressions] == ["count(*)"]
    others = {key for key, value in parsed.args.items() if value} - {
        "expressions", "from", "from_", "where", "kind",
    }  # fmt: skip
    table = parsed.find(exp.Table)
    if where is None or not counted or others or table is None or table.sql() != "rows":
        raise source.error([*path, "query"], SHAPE)
    condition = where.this
    outside = next(condition.find_all(*OUTSIDE), None)
    if outside is not None:
        message = f"'{outside.sql()}' is not decided by one row's values. {SHAPE}"
        raise source.error([*path, "query"], message)
    return condition


def unique_of(source: Document, columns: tuple[Column, ...]) -> tuple[Unique, ...]:
    """Return which columns are unique together: `unique: true`, or the dataset's check `unique`."""
    table, path = source.data["schema"][0], ["schema", 0]
    names = {column.name for column in columns}
    uniques = [
        Unique((column["name"],))
        for column in items_at(table, "properties")
        if column.get("unique")
    ]
    for place, raw in enumerate(items_at(table, "quality")):
        if raw.get("engine") != "pandera" or _check(raw) != "unique":
            continue
        where: Path = [*path, "quality", place]
        given = implementation_of(raw, "check")
        listed = given.get("columns")
        if set(given) != {"check", "columns"} or not isinstance(listed, list) or not listed:
            raise source.error(where, "unique takes columns, a list")
        together = cast("list[str]", listed)
        for name in together:
            if name not in names:
                raise source.error(where, f"unique names the column '{name}', which is not there")
        severity = severity_of(source, where, "unique", raw)
        name, text = raw.get("name", ""), raw.get("description", "")
        uniques.append(Unique(tuple(together), severity, name, text))
    return tuple(uniques)


def references_of(source: Document, columns: tuple[Column, ...]) -> tuple[Reference, ...]:
    """Return the references to other datasets, by the standard's `relationships`."""
    table, path = source.data["schema"][0], ["schema", 0]
    names = {column.name for column in columns}
    references: list[Reference] = []
    places: list[tuple[Path, dict[str, Any], Any]] = [
        ([*path, "relationships", place], raw, raw["from"])
        for place, raw in enumerate(items_at(table, "relationships"))
    ]
    for index, column in enumerate(items_at(table, "properties")):
        for place, raw in enumerate(items_at(column, "relationships")):
            where: Path = [*path, "properties", index, "relationships", place]
            places.append((where, raw, f"{table['name']}.{column['name']}"))
    for where, raw, ours in places:
        own, dataset = _ends(source, where, ours)
        to, target = _ends(source, where, raw["to"])
        if dataset != table["name"] or set(own) - names:
            raise source.error(where, f"'{ours}' is no column of '{table['name']}'")
        if len(own) != len(to):
            raise source.error(where, f"{len(own)} columns refer to {len(to)}")
        options = properties_of(raw)
        if set(options) - {"severity", "name"}:
            raise source.error(
                where, f"unknown property {sorted(set(options) - {'severity', 'name'})}"
            )
        severity = severity_of(source, where, str(ours), {"severity": "warning"} | options)
        line = f"{source.file}:{source.line(where)}"
        references.append(Reference(own, target, to, severity, options.get("name", ""), line))
    return tuple(references)


def _ends(source: Document, path: Path, given: str | list[str]) -> tuple[tuple[str, ...], str]:
    parts = [text.split(".") for text in ([given] if isinstance(given, str) else given)]
    if any(len(part) != 2 for part in parts) or len({part[0] for part in parts}) != 1:
        raise source.error(path, f"'{given}' is no <dataset>.<column>, or columns of one dataset")
    return tuple(part[1] for part in parts), parts[0][0]


def references_that_fail(contracts: Mapping[str, Contract]) -> list[str]:
    """Return a problem for each reference to what is not there, of another type, or in a circle."""
    problems: list[str] = []
    for contract in contracts.values():
        for reference in contract.references:
            target = contracts.get(reference.dataset)
            if target is None or target.vault is None or not target.vault.historized:
                message = f"refers to '{reference.dataset}', which is no dataset of silver here"
                problems.append(f"{reference.place}: {message}")
                continue
            for ours, theirs in zip(reference.columns, reference.to, strict=True):
                if theirs not in target.names:
                    message = f"refers to '{reference.dataset}.{theirs}', which is not there"
                    problems.append(f"{reference.place}: {message}")
                elif kind_of(contract.column(ours).type) != kind_of(target.column(theirs).type):
                    kinds = f"{contract.column(ours).type} and {target.column(theirs).type}"
                    message = (
                        f"'{ours}' refers to '{reference.dataset}.{theirs}', but they are {kinds}"
                    )
                    problems.append(f"{reference.place}: {message}")
    return problems + _circles(contracts.values())


def _circles(contracts: Iterable[Contract]) -> list[str]:
    """Return a problem for each circle of references; a dataset that refers to itself is none."""
    edges = {
        contract.dataset: {
            reference.dataset: reference.place
            for reference in contract.references
            if reference.dataset != contract.dataset
        }
        for contract in contracts
    }
    done: set[str] = set()

    def walk(dataset: str, way: tuple[str, ...]) -> list[str]:
        if dataset in way:
            circle = [*way[way.index(dataset) :], dataset]
            return [f"{edges[way[-1]][dataset]}: references go in a circle: {' -> '.join(circle)}"]
        if dataset in done:
            return []
        circles = [
            problem for to in edges.get(dataset, {}) for problem in walk(to, (*way, dataset))
        ]
        done.add(dataset)
        return circles

    return [problem for dataset in edges for problem in walk(dataset, ())]
