"""A small domain with a model and an inference job: contracts as text, tables by delta-rs."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName, Tables

HEAD = """
apiVersion: v3.1.0
kind: DataContract
id: shop-{name}
version: 1.0.0
status: active
domain: shop
description: {{purpose: "One row is one {name}."}}
schema:
  - name: {name}
    physicalName: shop.{name}
    logicalType: object
    properties:
"""
COLUMN = "      - {{name: {name}, logicalType: {logical}, physicalType: {kind}{more}}}\n"
LOGICAL = {"bigint": "integer", "int": "integer", "double": "number", "timestamp": "timestamp"}
LOGICAL |= {"boolean": "boolean", "string": "string", "array<float>": "array"}


def contract(name, columns, properties):
    """Return a contract's text; `columns` are (name, type) or (name, type, more YAML)."""
    lines = [
        COLUMN.format(name=column, logical=LOGICAL[kind], kind=kind, more="".join(more))
        for column, kind, *more in columns
    ]
    return HEAD.format(name=name) + "".join(lines) + "customProperties:" + properties


KEY = ", primaryKey: true, primaryKeyPosition: {}"
VISITS = contract(
    "visits",
    [
        ("visit", "bigint", KEY.format(1)),
        ("line", "bigint", KEY.format(2)),
        ("who", "bigint", ", required: true, logicalTypeOptions: {minimum: 1}"),
        ("paid_at", "timestamp", ", required: true"),
        ("price", "double", ", required: true, logicalTypeOptions: {minimum: 0}"),
    ],
    """
  - property: capture
    value: [{method: debezium, format: debezium-json, path: "visits/*.jsonl"}]
""",
)
HABITS = contract(
    "habits",
    [
        ("who", "bigint", KEY.format(1)),
        ("known_at", "timestamp"),
        ("visits", "bigint"),
        ("spend", "double"),
    ],
    """
  - property: features
    value: {table: habits, entity: [who], timestamp: known_at}
""",
)
OFFERS = contract(
    "offers",
    [
        ("who", "bigint", KEY.format(1)),
        ("offer", "bigint", KEY.format(2)),
        ("known_at", "timestamp"),
        ("is_big", "boolean"),
    ],
    """
  - property: features
    value: {table: offers, entity: [who, offer], timestamp: known_at}
""",
)
TASTE = contract(
    "taste",
    [
        ("visit", "bigint", KEY.format(1)),
        ("who", "bigint"),
        ("offer", "bigint", KEY.format(2)),
        ("event_time", "timestamp"),
        ("ingested_at", "timestamp"),
        ("scored_at", "timestamp"),
        ("latency_ms", "bigint"),
        ("model_name", "string"),
        ("model_version", "string"),
        ("context_version", "bigint"),
        ("score", "double"),
        ("rank", "int"),
        ("action", "string"),
    ],
    """
  - property: score
    value:
      trainer: domains.retail.model:estimator
      examples:
        query: select who, offer, began_at, ended_at, is_taken from gold.shop__targets
        entity: [who, offer]
        timestamp: began_at
        label: is_taken
        finalFrom: ended_at
        require: [habits]
      features:
        habits: [visits, spend]
        offers: [is_big]
      events: {dataset: visits, key: visit, entity: [who], timestamp: paid_at}
      context:
        {table: candidates, candidate: [offer], knownFrom: known_at, validFrom: opens, validTo: closes}
      actions: {best: show, otherwise: wait, share: 0.25}
      table: scores
""",
)
GOODS = contract(
    "goods",
    [("good", "bigint", KEY.format(1)), ("title", "string"), ("brand", "string")],
    """
  - property: vault
    value: {hubs: {good: [good]}, satellite: good}
""",
)
WORDS = contract(
    "words",
    [
        ("good", "bigint", KEY.format(1)),
        ("text_hash", "string", KEY.format(2)),
        ("text", "string"),
        ("embedding", "array<float>"),
        ("model", "string"),
        ("model_version", "string"),
        ("parameters_hash", "string"),
        ("embedded_at", "timestamp"),
    ],
    """
  - property: enrich
    value:
      table: vectors
      source: goods
      text: [title, brand]
      case: lower
      model: wordllama-l2-supercat
      version: "256"
      dimensions: 256
      batch: 4
      commitRows: 10
""",
)
CONTRACTS = {
    "visits": VISITS, "habits": HABITS, "offers": OFFERS, "taste": TASTE, "goods": GOODS, "words": WORDS,
}  # fmt: skip
START = datetime(2020, 1, 1, tzinfo=UTC)
UTC_TIME = pa.timestamp("us", tz="UTC")


def day(number, hours=0):
    """Return the instant so many days after the start."""
    return START + timedelta(days=number, hours=hours)


def shop(home: Path, **settings) -> Settings:
    """Return the settings of a home with the domain's contracts and no table."""
    folder = home / "contracts" / "shop"
    folder.mkdir(parents=True)
    for name, text in CONTRACTS.items():
        (folder / f"{name}.yaml").write_text(text)
    return settings_of(home, **settings)


def settings_of(home: Path, **settings) -> Settings:
    """Return the settings of a home that has the domain's contracts in it."""
    return Settings(home=home, contracts=home / "contracts", driver_memory="1g", **settings)


def copied(settings: Settings, home: Path) -> Settings:
    """Return the settings of a copy of a home."""
    shutil.copytree(settings.home, home)
    return settings_of(home)


def name(layer, table):
    """Return the name of a table of the domain."""
    return TableName.of(layer, "shop", table)


def write(settings, table, columns, mode="append"):
    """Write columns, given as name -> (type, values), to a table of the domain."""
    arrays = {key: pa.array(values, kind) for key, (kind, values) in columns.items()}
    write_deltalake(Tables.at(settings).path(table), pa.table(arrays), mode=mode)


def rows_of(settings, table):
    """Return a table's rows as dictionaries, none where it does not exist."""
    delta = Tables.at(settings).open(table)
    return [] if delta is None else pa.table(delta.scan()).to_pylist()


def write_history(settings, *, people=120, campaigns=10, seed=1, predictive=True):
    """Write feature sets, targets and candidates: who visits often takes offers, unless not `predictive`.

    A campaign begins every 10 days and lasts 9; the last one is still open where the features end.
    """
    draw = np.random.default_rng(seed)
    who = list(range(1, people + 1))
    visits = draw.integers(0, 30, people)
    # One household is known from the second campaign on only, one never.
    since = [day(15 if person == 1 else -1) for person in who]
    habits = {
        "who": (pa.int64(), who[:-1] * 2),
        "known_at": (UTC_TIME, since[:-1] + [day(campaigns * 10 - 2)] * (people - 1)),
        "visits": (pa.int64(), list(visits[:-1]) * 2),
        "spend": (pa.float64(), list(draw.normal(50, 10, people - 1)) * 2),
        "_batch": (pa.int64(), [1] * 2 * (people - 1)),
    }
    pairs = [(person, offer) for offer in range(campaigns) for person in who]
    chance = np.array(
        [0.02 + 0.03 * visits[person - 1] if predictive else 0.3 for person, _ in pairs]
    )
    began = [day(offer * 10) for _, offer in pairs]
    keys = {
        "who": (pa.int64(), [person for person, _ in pairs]),
        "offer": (pa.int64(), [offer for _, offer in pairs]),
    }
    offers = keys | {
        "known_at": (UTC_TIME, began),
        "is_big": (pa.bool_(), [offer % 2 == 0 for _, offer in pairs]),
    }
    targets = keys | {
        "began_at": (UTC_TIME, began),
        "ended_at": (UTC_TIME, [day(offer * 10 + 9) for _, offer in pairs]),
        "is_taken": (pa.bool_(), list(draw.random(len(pairs)) < chance)),
    }
    write(settings, name("gold", "habits"), habits)
    write(settings, name("gold", "offers"), offers)
    write(settings, name("gold", "targets"), targets)
    return visits


def write_candidates(settings, visits, *, known_day=100, people=None):
    """Write candidates: each person has offers 1 and 2 on days 100 to 110, person 3 none."""
    chosen = people or [person for person in range(1, 11) if person != 3]
    count = len(chosen) * 2
    write(
        settings,
        name("gold", "candidates"),
        {
            "who": (pa.int64(), chosen * 2),
            "offer": (pa.int64(), [1] * len(chosen) + [2] * len(chosen)),
            "known_at": (UTC_TIME, [day(known_day)] * count),
            "opens": (UTC_TIME, [day(90)] * count),
            "closes": (UTC_TIME, [day(110)] * count),
            "visits": (pa.int64(), [int(visits[person - 1]) for person in chosen] * 2),
            "spend": (pa.float64(), [50.0] * count),
            "is_big": (pa.bool_(), [False] * len(chosen) + [True] * len(chosen)),
        },
        mode="overwrite",
    )


def line(visit, number, who, hours=0, **changed):
    """Return one bronze row of a visit on day 101; `changed` gives columns another value."""
    row = {
        "visit": visit, "line": number, "who": who, "paid_at": day(101, hours), "price": 1.0,
        "_op": "c", "_sequence": f"{visit:09d}.{number:03d}", "_source_ts": day(101, hours), "_source": "s",
        "_method": "debezium", "_ingested_at": datetime.now(UTC), "_batch": 1, "_origin": "real",
        "_rescued": None, "_before": None,
    }  # fmt: skip
    return row | changed


BRONZE = pa.schema(
    [
        *[(column, pa.int64()) for column in ("visit", "line", "who")],
        ("paid_at", UTC_TIME),
        ("price", pa.float64()),
        *[
            (column, pa.string())
            for column in ("_op", "_sequence", "_source", "_method", "_origin")
        ],
        ("_source_ts", UTC_TIME),
        ("_ingested_at", UTC_TIME),
        ("_batch", pa.int64()),
        *[(column, pa.map_(pa.string(), pa.string())) for column in ("_rescued", "_before")],
    ]
)


def land(settings, rows):
    """Append bronze rows in one commit."""
    table = pa.Table.from_pylist([{**row} for row in rows], schema=BRONZE)
    path = Tables.at(settings).path(name("bronze", "visits"))
    write_deltalake(path, table, mode="append", schema_mode="merge")


def write_goods(settings, rows):
    """Append events of goods, given as (good, title, brand, op, sequence)."""
    columns = list(zip(*rows, strict=True))
    kinds = (pa.int64(), pa.string(), pa.string(), pa.string(), pa.string())
    names = ("good", "title", "brand", "_op", "_sequence")
    write(
        settings,
        name("silver", "sat_good"),
        {
            key: (kind, list(values))
            for key, kind, values in zip(names, kinds, columns, strict=True)
        },
    )
