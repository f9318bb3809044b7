"""The recorded change log as a domain: contracts from its truth, records to land, rows to compare.

The contracts say what a producer would: the columns as they are at the end, the names and defaults
that the recorded statements gave them. Nothing of the engine is made for this recording.
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import sqlglot
import yaml
from sqlglot import expressions as sql

from lakehouse.settings import PROJECT

RECORDED = PROJECT / "tests" / "data" / "debezium"
DOMAIN = "shop"
KEYS = {
    "customers": ["id"],
    "products": ["id"],
    "stores": ["id"],
    "orders": ["id"],
    "order_lines": ["order_id", "line_no"],
    "audit_log": [],
}
TYPES = {
    "bigint": ("integer", "bigint"),
    "integer": ("integer", "int"),
    "smallint": ("integer", "smallint"),
    "boolean": ("boolean", "boolean"),
    "date": ("date", "date"),
    "double precision": ("number", "double"),
    "timestamp with time zone": ("timestamp", "timestamp"),
    "timestamp without time zone": ("timestamp", "timestamp"),
}


@cache
def stages():
    """Return the description of each stage in the truth, by its number."""
    truths = json.loads((RECORDED / "truth" / "stages.json").read_text())
    return {stage["stage"]: stage for stage in truths["stages"]}


def records(table):
    """Return the records of a table's topic in (partition, offset) order."""
    path = RECORDED / "topics" / f"cdc.shop.{table}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def until(table, stage):
    """Return the records of a table up to the end of a stage."""
    ends = stages()[stage]["end_offsets"][f"cdc.shop.{table}"]
    return [r for r in records(table) if r["offset"] < ends[str(r["partition"])]]


@cache
def evolutions():
    """Return, by table and column, the names and the default that recorded statements gave it."""
    evolved = {}
    for record in records_of_messages():
        for table, column, change in record:
            columns = evolved.setdefault(table, {})
            if "renamed" in change:
                before = columns.pop(change["renamed"], {"previousNames": []})
                names = [change["renamed"], *before["previousNames"]]
                columns[column] = before | {"previousNames": names}
            elif change["absent"] is not None:
                columns[column] = {"previousNames": [], "absent": change["absent"]}
    return evolved


def records_of_messages():
    """Yield the column changes of each recorded statement, in order."""
    path = RECORDED / "topics" / "cdc.message.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        messages = [json.loads(json.loads(line)["value"])["message"] for line in file]
    for message in messages:
        if message["prefix"] != "ddl":
            continue
        text = base64.b64decode(message["content"]).decode()
        statement = sqlglot.parse_one(text, dialect="postgres")
        table = statement.find(sql.Table).name
        changes = []
        for action in statement.args.get("actions") or ():
            if isinstance(action, sql.RenameColumn):
                changes.append((table, action.args["to"].name, {"renamed": action.this.name}))
            elif isinstance(action, sql.ColumnDef):
                default = action.find(sql.DefaultColumnConstraint)
                absent = None if default is None else default.this.sql(dialect="postgres")
                changes.append(
                    (table, action.name, {"absent": absent and absent.strip("'").lower()})
                )
        yield changes


def write_contracts(folder, tables=tuple(KEYS)):
    """Write the contracts of the tables into the folder of the domain."""
    evolved = evolutions()
    for table in tables:
        properties = [
            _property(table, name, kind, evolved.get(table, {}).get(name))
            for name, kind in columns(table).items()
        ]
        hubs = {"hubs": {table: KEYS[table]}} if KEYS[table] else {}
        document = {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": f"{DOMAIN}-{table}",
            "version": "1.0.0",
            "status": "active",
            "domain": DOMAIN,
            "schema": [{"name": table, "logicalType": "object", "properties": properties}],
            "customProperties": [
                {
                    "property": "capture",
                    "value": [
                        {"method": "debezium", "format": "kafka-json", "path": f"{table}/*.jsonl"}
                    ],
                },
                {
                    "property": "vault",
                    "value": {**hubs, "satellite": table},
                },
            ],
        }
        path = folder / DOMAIN / f"{table}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@cache
def columns(table):
    """Return every column that a table ever had, by its last name, with its last type."""
    kinds = {}
    for stage in sorted(stages()):
        kinds |= stages()[stage]["columns"][table]
    renamed = [old for new in evolutions().get(table, {}).values() for old in new["previousNames"]]
    return {name: kind for name, kind in kinds.items() if name not in renamed}


@cache
def last_name(table, name):
    """Return the name that a column has at the end."""
    for new, evolution in evolutions().get(table, {}).items():
        if name in evolution["previousNames"]:
            return new
    return name


@cache
def end_of(stage):
    """Return a position, as silver writes it, after every event of a stage and before the next."""
    last = 0
    for table in KEYS:
        for record in until(table, stage):
            change = json.loads(record["value"]) if record["value"] else None
            if change is not None:
                last = max(last, int(json.loads(change["source"]["sequence"])[0] or 0))
    return f"{last:019d}.9"


def _property(table, name, kind, evolution):
    number = re.fullmatch(r"numeric\((\d+),(\d+)\)", kind)
    logical, physical = TYPES.get(kind, ("string", "string"))
    if number:
        logical, physical = "number", f"decimal({number[1]},{number[2]})"
    declared = {"name": name, "logicalType": logical, "physicalType": physical}
    if name in KEYS[table]:
        declared |= {"primaryKey": True, "primaryKeyPosition": KEYS[table].index(name) + 1}
    if evolution:
        declared["customProperties"] = [{"property": "evolution", "value": evolution}]
    return declared


def land(settings, table, name, rows):
    """Land records as a file of the table."""
    path = settings.landing / DOMAIN / table / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def truth(table, stage):
    """Return the rows of a table after a stage, from the database, as comparable values."""
    columns = stages()[stage]["columns"][table]
    path = RECORDED / "truth" / f"stage-{stage}" / f"{table}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return Counter(
            tuple((name, _parsed(row[name], kind)) for name, kind in columns.items())
            for row in rows
        )


def _parsed(text, kind):  # noqa: PLR0911 - one return a kind of value
    if text == r"\N":
        return None
    if kind.startswith("timestamp"):
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    if kind == "date":
        return date.fromisoformat(text)
    if kind in ("bigint", "integer", "smallint"):
        return int(text)
    if kind.startswith("numeric"):
        return Decimal(text)
    if kind == "double precision":
        return float(text)
    if kind == "boolean":
        return text == "true"
    if kind == "jsonb" or kind.endswith("[]"):
        return _canonical(json.loads(text))
    if kind == "point":
        return tuple(float(part) for part in text.strip("()").split(","))
    return text


def _canonical(value):
    return json.dumps(value, sort_keys=True)


def comparable(rows, table, stage):
    """Return rows of the lakehouse as values that can be compared with the truth."""
    columns = stages()[stage]["columns"][table]
    return Counter(
        tuple((name, _value(row[last_name(table, name)], kind)) for name, kind in columns.items())
        for row in rows
    )


def _value(value, kind):
    if value is None:
        return None
    if kind == "jsonb" or kind.endswith("[]"):
        return _canonical(json.loads(value))
    if kind == "point":
        point = json.loads(value)
        return (point["x"], point["y"])
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
