"""Lineage of columns in gold: from which columns a model's columns come, and which it reads.

No dbt, no session: macros of the project are rendered with names in place of relations, as for a
table that is brought up to date, which is the variant that reads most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from lakehouse.settings import Settings

GOLD = "gold"
COMMENT = re.compile(r"--[^\n]*|\{#.*?#\}|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Use:
    """One place where a model names a column: its file, line and position, both from 1."""

    model: str
    file: str
    line: int
    position: int
    column: str


@dataclass(frozen=True, order=True)
class Origin:
    """One column of an upstream table from which the values of a model's column come."""

    column: str
    table: str
    origin: str


class _Returned(Exception):
    """What a macro returns that is no text."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def origins(settings: Settings, domain: str, model: str) -> list[Origin]:
    """Return the upstream columns from which each column of a model is computed.

    Columns of joins, filters and groups are not among them (`uses` has those), nor are the tables
    behind a view of silver. Takes about a second a model.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    [path] = (settings.dbt_project / "models" / domain).rglob(f"{model}.sql")
    schema = _schema(settings, domain)
    query = sqlglot.parse_one(_renderer(settings)(path.read_text(encoding="utf-8")), read="spark")
    inner = {part.alias for part in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if not table.db and table.name not in inner:
            table.set("db", exp.to_identifier(GOLD))
    query = qualify(query, dialect="spark", schema=schema, validate_qualify_columns=False)
    scope = build_scope(query)
    return sorted(
        {
            Origin(
                column,
                f"{leaf.source.db}.{leaf.source.name}",
                leaf.name.rpartition(".")[2].strip('"'),
            )
            for column in schema[GOLD][model]
            for leaf in lineage(
                column, query, schema={}, scope=scope, dialect="spark", copy=False
            ).walk()
            if isinstance(leaf.source, exp.Table)
        }
    )


def _schema(settings: Settings, domain: str) -> dict[str, Any]:
    """Return the columns and types of a domain's sources and models, by layer and table, from YAML."""
    tables: dict[str, Any] = {GOLD: {}}
    for path in sorted((settings.dbt_project / "models" / domain).rglob("*.yml")):
        declared = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        listed = [
            (source.get("schema", source["name"]), table)
            for source in declared.get("sources") or ()
            for table in source["tables"]
        ]
        listed += [(GOLD, model) for model in declared.get("models") or ()]
        for layer, table in listed:
            columns = {c["name"]: c.get("data_type", "string") for c in table.get("columns") or ()}
            if columns:
                tables.setdefault(layer, {})[table["name"]] = columns
    return tables


def uses(
    settings: Settings, domain: str, tables: Iterable[str], columns: Iterable[str]
) -> list[Use]:
    """Return each place where a domain's model reads one of the columns from one of the tables.

    `tables` are names of silver, with the domain. A model whose SQL cannot be read is counted where
    its text names both.
    """
    wanted, names = set(columns), {table.casefold() for table in tables}
    folder, places = settings.dbt_project / "models" / domain, []
    render = _renderer(settings)
    for path in sorted(folder.rglob("*.sql")):
        text = path.read_text(encoding="utf-8")
        if not any(name in text.casefold() for name in names):
            continue
        read = _columns_read(render, text, names, wanted)
        for column in sorted(read):
            for line, position in _places(text, column):
                file = path.relative_to(settings.dbt_project).as_posix()
                places.append(Use(path.stem, file, line, position, column))
    return places


def _columns_read(
    render: Callable[[str], str], text: str, names: set[str], wanted: set[str]
) -> set[str]:
    import jinja2
    from sqlglot.errors import SqlglotError

    try:
        return set(_read(render(text), names)) & wanted
    except (SqlglotError, jinja2.TemplateError, _Returned, TypeError, AttributeError):
        plain = COMMENT.sub("", text)
        return {column for column in wanted if re.search(rf"\b{re.escape(column)}\b", plain)}


def _read(sql: str, names: set[str]) -> Iterator[str]:
    """Yield the columns that a query may read from some tables.

    A column without a table's name counts where such a table is among those it may come from; after
    `select *` it may come from a later part of the query, too.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    stars: set[str] = set()
    for statement in sqlglot.parse(sql, read="spark"):
        for scope in traverse_scope(statement) if statement is not None else ():
            mine = {
                alias
                for alias, source in scope.sources.items()
                if isinstance(source, exp.Table)
                and (source.name.casefold() in names or source.name in stars)
            }
            mine |= {alias for alias in scope.sources if alias in stars}
            if not mine:
                continue
            for column in scope.columns:
                if not column.table or column.table in mine:
                    yield column.name
            for join in scope.expression.args.get("joins") or ():
                yield from (name.name for name in join.args.get("using") or ())
            if scope.expression.find(exp.Star) is not None:
                parent = scope.expression.parent
                if isinstance(parent, exp.CTE | exp.Subquery) and parent.alias:
                    stars.add(parent.alias)


def _places(text: str, column: str) -> Iterator[tuple[int, int]]:
    """Yield (line, position) of each mention of a column outside comments."""
    blank = COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for match in re.finditer(rf"\b{re.escape(column)}\b", blank):
        line = blank.count("\n", 0, match.start()) + 1
        yield line, match.start() - (blank.rfind("\n", 0, match.start()) + 1) + 1


def _renderer(settings: Settings) -> Callable[[str], str]:
    """Return a function that renders a model's Jinja to SQL, with the project's own macros."""
    from dbt_common.clients.jinja import get_environment

    environment = get_environment(None, capture_macros=False)

    def returned(value: Any = "") -> None:
        raise _Returned(value)

    defined: dict[str, Any] = {
        "source": lambda layer, table: f"{layer}.{table}",
        "ref": lambda name: name,
        "config": lambda *_, **__: "",
        "is_incremental": lambda: True,
        "env_var": lambda _, default="": default,
        "var": lambda _, default="": default,
        "run_query": lambda *_: None,
        "execute": False,
        "this": "this",
        "return": returned,
        "log": lambda *_, **__: "",
        "exceptions": None,
        "adapter": None,
        "target": None,
    }
    for path in _macro_files(settings):
        module = environment.from_string(path.read_text(encoding="utf-8"), globals=defined)
        for name, macro in vars(module.make_module()).items():
            if callable(macro) and not name.startswith("__"):
                defined[name.removeprefix("dbt_macro__")] = _calling(macro)
    return lambda text: environment.from_string(text, globals=defined).render({})


def _macro_files(settings: Settings) -> list[Path]:
    return sorted((settings.dbt_project / "macros").rglob("*.sql"))


def _calling(macro: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except _Returned as returned:
            return returned.value

    return called
