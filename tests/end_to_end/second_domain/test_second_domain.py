"""A domain that came in by contracts, SQL and declarations alone, as `docs/add-a-domain.md` says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql.types import StructType

from cli.main import main
from contracts.compilers.ddl import ddl
from contracts.compilers.table_descriptions import by_name
from contracts.parsing.load import load_domain
from gold.dbt.project import Project
from gold.features import pull
from lakehouse.settings import PROJECT, settings
from lakehouse.storage.catalog import register
from lakehouse.storage.tables import TableName, Tables
from operations.query import frame, run_query
from pages.catalog.data import collect
from pipeline.run import run_layers
from tests.end_to_end.second_domain.telemetry import START, Morning

HERE = Path(__file__).parent
PAGE = PROJECT / "docs" / "add-a-domain.md"
DOMAIN = "fleet"
pytestmark = pytest.mark.spark


BLOCK = re.compile(r"(?:^`([\w/.]+)`\n\n)?^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks_of_the_page():
    """Each block of the page: the path of the file that it is, empty for commands, and its text."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def files_of_the_page():
    """The files that the page has its reader write, by path."""
    return {path: text for path, text in blocks_of_the_page() if path}


def commands_of_the_page():
    """The command lines that the page has its reader run, in order."""
    blocks = [text for path, text in blocks_of_the_page() if not path]
    return [line.removesuffix(" --open") for text in blocks for line in text.splitlines()]


@pytest.fixture(scope="module")
def fleet(spark, tmp_path_factory):
    """The domain as the page makes it: its files written, then its commands run, none of which fails."""
    folder = tmp_path_factory.mktemp("fleet")
    project = folder / "dbt_project"
    shutil.copytree(PROJECT / "dbt_project" / "macros", project / "macros")
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / "dbt_project" / file, project)
    for path, text in files_of_the_page().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(PROJECT))
        for name, value in {
            "HOME": folder / ".lakehouse",
            "CONTRACTS": folder / "contracts",
            "DBT_PROJECT": project,
        }.items():
            patch.setenv(f"LAKEHOUSE_{name}", str(value))
        settings.cache_clear()
        for line in commands_of_the_page():
            words = shlex.split(line)
            if words[0] == "lakehouse":
                # a reader's commands are processes of their own, each with an empty catalog
                spark.sql("drop database if exists gold cascade")
                assert main(words[1:]) == 0, line
            else:
                given = line.replace("python ", f"{sys.executable} ", 1)
                subprocess.run(given, shell=True, check=True, timeout=120)
        yield settings(), Morning(7)
    settings.cache_clear()


def test_the_page_makes_this_domain():
    """The files that the page shows are those that lie here, all of them, letter by letter."""
    here = {
        path.relative_to(HERE).as_posix().replace("models/", "dbt_project/models/"): path
        for folder in ("contracts", "models")
        for path in (HERE / folder).rglob("*.*")
    }
    assert files_of_the_page() == {
        name: path.read_text(encoding="utf-8") for name, path in here.items()
    }


def rows(home, layer, table):
    """The rows of a table as plain values."""
    return Tables.at(home).rows(TableName.of(layer, DOMAIN, table))


def test_no_row_vanishes(fleet):
    """One bad ping is in quarantine, thirty that came again are superseded, all others are there."""
    home, morning = fleet
    assert len(rows(home, "silver", "lnk_ping")) == len(morning.pings)
    (bad,) = rows(home, "silver", "pings_quarantine")
    assert [f["column"] for f in bad["failures"]] == ["speed_kmh"]
    assert len(rows(home, "bronze", "pings")) == len(morning.pings) + 30 + 1
    assert {row["_origin"] for row in rows(home, "bronze", "pings")} == {"synthetic"}


def test_each_stop_has_its_delay(fleet):
    """Arrival and delay of each delivery are those of plain Python, after all changes of the plan."""
    home, morning = fleet
    stops = {
        row["delivery_id"]: (
            row["vehicle_id"],
            row["planned_at"],
            row["arrived_at"],
            row["delay_s"],
        )
        for row in rows(home, "gold", "fct_stop")
    }
    assert stops == morning.arrivals()
    assert sum(arrived is not None for _, _, arrived, _ in stops.values()) > 5


def test_punctuality_by_vehicle_and_day(fleet):
    """The mart counts deliveries, arrivals and late ones, and the mean delay."""
    home, morning = fleet
    days = {
        (row["vehicle_id"], row["day"]): (
            row["deliveries"], row["arrived"], row["late"], row["mean_delay_s"],
        )
        for row in rows(home, "gold", "mart_punctuality")
    }  # fmt: skip
    assert days == {key: pytest.approx(value) for key, value in morning.punctuality().items()}


def test_a_vehicle_has_its_versions(fleet):
    """The vehicle that moved to another depot has two versions, the others one."""
    home, _ = fleet
    versions = sorted(
        (row["vehicle_id"], row["depot"], row["is_current"])
        for row in rows(home, "gold", "dim_vehicle")
    )
    assert versions == [
        (1, "north", False),
        (1, "south", True),
        (2, "north", True),
        (3, "south", True),
    ]


def test_features_are_those_of_the_last_full_minute(fleet, tmp_path):
    """A pulled row is the newest whose minute is over; before the first and after a day there is none."""
    home, morning = fleet
    expected = morning.minutes()
    wanted_rows = [(v, START + timedelta(minutes=m, seconds=s)) for v in (1, 2, 3) for m, s in (
        (0, 59), (1, 0), (7, 30), (24, 0), (60 * 25, 0),
    )]  # fmt: skip
    entities = tmp_path / "entities.csv"
    entities.write_text(
        "vehicle_id,timestamp\n" + "".join(f"{v},{at.isoformat()}\n" for v, at in wanted_rows)
    )
    pull(home, DOMAIN, "vehicle_minute", entities, out=tmp_path / "out.parquet")
    for (vehicle, at), row in zip(
        wanted_rows, pq.read_table(tmp_path / "out.parquet").to_pylist(), strict=True
    ):
        minute = min(at.replace(second=0), START + timedelta(minutes=24))
        wanted = expected.get((vehicle, minute)) if at - minute < timedelta(days=1) else None
        values = (row["pings_5m"], row["harsh_brakes_5m"], row["metres_5m"])
        assert values == (pytest.approx(wanted) if wanted else (None, None, None)), (vehicle, at)
    assert sum(brakes for _, brakes, _ in expected.values()) > 10


def test_tables_are_what_their_contracts_describe(fleet):
    """Each table of bronze and silver: types, comments, what is never null, as the derived DDL has it."""
    home, _ = fleet
    tables, described = (
        Tables.at(home),
        by_name(load_domain(home.contracts, DOMAIN).values()),
    )
    stored = [name for name in tables.names(DOMAIN) if name.layer in ("bronze", "silver")]
    assert len(stored) == 10
    for name in stored:
        table, wanted = tables.open(name), described[str(name)]
        assert table.metadata().description == wanted.comment
        fields = {field["name"]: field for field in json.loads(table.schema().to_json())["fields"]}
        columns = {column.name: column for column in wanted.columns}
        assert set(fields) <= set(columns)
        for column, field in fields.items():
            assert field["metadata"].get("comment", "") == columns[column].comment, (name, column)
            assert field["nullable"] is not columns[column].required, (name, column)
    never = described["silver.fleet__lnk_ping"].required
    assert never == {"ping_hk", "vehicle_hk", "vehicle_id", "recorded_at", "_op", "_batch"}


def test_the_derived_ddl_makes_the_same_tables(fleet, catalog):
    """Run by Spark elsewhere, the DDL gives each column the type and constraint that the engine gave."""
    home, _ = fleet
    catalog.sql("create database if not exists bronze")
    catalog.sql("create database if not exists silver")
    tables = Tables.at(home)
    for contract in load_domain(home.contracts, DOMAIN).values():
        for statement in f"{ddl(contract)}\n".split(";\n"):
            if statement.strip():
                catalog.sql(statement)
    compared = [name for name in tables.names(DOMAIN) if name.layer in ("bronze", "silver")]
    assert {name.layer for name in compared} == {"bronze", "silver"}
    for name in compared:
        made = _types(catalog.table(str(name)).schema)
        stored = _types(StructType.fromJson(json.loads(tables.open(name).schema().to_json())))
        assert stored.items() <= made.items(), name
        catalog.sql(f"drop table {name}")


def _types(schema):
    return {field.name: field.dataType.simpleString() for field in schema.fields}


def test_the_catalogs_queries_run(fleet, catalog):
    """Each query that the catalog shows of each dataset reads, without an error."""
    home, _ = fleet
    for entry in collect(home, DOMAIN)["entries"]:
        for query in entry["queries"]:
            if query["text"].startswith("lakehouse sql"):
                if "quarantine" in query["text"] and "pings" not in query["text"]:
                    continue  # nothing else was rejected, so there is no such table
                run_query(frame(home, query["text"].split('"')[1]), 5)


def test_dbts_own_tests_of_the_sources_hold(fleet, catalog):
    """not_null, accepted_values and relationships, left out of a publication, pass when requested."""
    home, _ = fleet
    project = Project(home, DOMAIN)
    register(catalog, home, project.sources())
    results = project.invoke(["test", "--select", "tag:contract"]).result.results
    kinds = Counter(result.node.test_metadata.name for result in results)
    assert kinds.keys() == {"not_null", "accepted_values"}, "the SQL reads no hub"
    assert kinds["not_null"] > 15
    assert {str(result.status) for result in results} == {"pass"}


def test_a_run_with_nothing_pending_does_nothing(fleet):
    """Carried again, nothing is pending."""
    home, _ = fleet
    assert run_layers(home, DOMAIN).nothing_new
