"""A domain that came in by contracts, SQL and declarations alone, as `docs/add-a-domain.md` says."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cli.derive import derive
from cli.flow import carry
from gold.features import pull
from lakehouse.settings import PROJECT, Settings
from lakehouse.tables import TableName, Tables
from tests.second_domain.telemetry import START, Morning

HERE = Path(__file__).parent
DOMAIN = "fleet"
pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def fleet(spark, tmp_path_factory):
    """The domain's settings and its morning, landed and run in two halves."""
    folder = tmp_path_factory.mktemp("fleet")
    project = folder / "dbt"
    shutil.copytree(HERE / "contracts", folder / "contracts")
    shutil.copytree(PROJECT / "dbt_project" / "macros", project / "macros")
    shutil.copy(PROJECT / "dbt_project" / "dbt_project.yml", project)
    shutil.copytree(HERE / "models", project / "models")
    settings = Settings(home=folder / "home", contracts=folder / "contracts", dbt_project=project)
    derive(settings, DOMAIN)
    morning = Morning(7)
    for part in (1, 2):
        morning.land(settings.landing / DOMAIN, part)
        carry(settings, DOMAIN)
    return settings, morning


def rows(settings, layer, table):
    """The rows of a table as plain values."""
    return Tables.at(settings).rows(TableName.of(layer, DOMAIN, table))


def test_no_row_vanishes(fleet):
    """One bad ping is in quarantine, thirty that came again are superseded, all others are there."""
    settings, morning = fleet
    assert len(rows(settings, "silver", "lnk_ping")) == len(morning.pings)
    (bad,) = rows(settings, "silver", "pings_quarantine")
    assert [f["column"] for f in bad["failures"]] == ["speed_kmh"]
    assert len(rows(settings, "bronze", "pings")) == len(morning.pings) + 30 + 1
    assert {row["_origin"] for row in rows(settings, "bronze", "pings")} == {"synthetic"}


def test_each_stop_has_its_delay(fleet):
    """Arrival and delay of each delivery are those of plain Python, after all changes of the plan."""
    settings, morning = fleet
    found = {
        row["delivery_id"]: (
            row["vehicle_id"],
            row["planned_at"],
            row["arrived_at"],
            row["delay_s"],
        )
        for row in rows(settings, "gold", "fct_stop")
    }
    assert found == morning.arrivals()
    assert sum(arrived is not None for _, _, arrived, _ in found.values()) > 5


def test_punctuality_by_vehicle_and_day(fleet):
    """The mart counts deliveries, arrivals and late ones, and the mean delay."""
    settings, morning = fleet
    found = {
        (row["vehicle_id"], row["day"]): (
            row["deliveries"], row["arrived"], row["late"], row["mean_delay_s"],
        )
        for row in rows(settings, "gold", "mart_punctuality")
    }  # fmt: skip
    assert found == {key: pytest.approx(value) for key, value in morning.punctuality().items()}


def test_a_vehicle_has_its_versions(fleet):
    """The vehicle that moved to another depot has two versions, the others one."""
    settings, _ = fleet
    found = sorted(
        (row["vehicle_id"], row["depot"], row["is_current"])
        for row in rows(settings, "gold", "dim_vehicle")
    )
    assert found == [
        (1, "north", False),
        (1, "south", True),
        (2, "north", True),
        (3, "south", True),
    ]


def test_features_are_those_of_the_last_full_minute(fleet, tmp_path):
    """A pulled row is the newest whose minute is over; before the first and after a day there is none."""
    settings, morning = fleet
    expected = morning.minutes()
    asked = [(v, START + timedelta(minutes=m, seconds=s)) for v in (1, 2, 3) for m, s in (
        (0, 59), (1, 0), (7, 30), (24, 0), (60 * 25, 0),
    )]  # fmt: skip
    entities = tmp_path / "asked.csv"
    entities.write_text(
        "vehicle_id,timestamp\n" + "".join(f"{v},{at.isoformat()}\n" for v, at in asked)
    )
    pull(settings, DOMAIN, "vehicle_minute", entities, out=tmp_path / "out.parquet")
    for (vehicle, at), row in zip(
        asked, pq.read_table(tmp_path / "out.parquet").to_pylist(), strict=True
    ):
        minute = min(at.replace(second=0), START + timedelta(minutes=24))
        wanted = expected.get((vehicle, minute)) if at - minute < timedelta(days=1) else None
        found = (row["pings_5m"], row["harsh_brakes_5m"], row["metres_5m"])
        assert found == (pytest.approx(wanted) if wanted else (None, None, None)), (vehicle, at)
    assert sum(brakes for _, brakes, _ in expected.values()) > 10


def test_tables_have_the_comments_of_their_contracts(fleet):
    """Columns in bronze and silver are described; key columns of the events are never null."""
    settings, _ = fleet
    tables = Tables.at(settings)
    for layer, name in (("bronze", "pings"), ("silver", "lnk_ping")):
        table = tables.open(TableName.of(layer, DOMAIN, name))
        schema = json.loads(table.schema().to_json())
        fields = {field["name"]: field for field in schema["fields"]}
        assert fields["speed_kmh"]["metadata"] == {"comment": "Speed over ground. [km/h]"}
        assert "one second of one vehicle" in table.metadata().description
    never = {name for name, field in fields.items() if not field["nullable"]}
    assert never == {"ping_hk", "vehicle_hk", "vehicle_id", "recorded_at", "_op", "_batch"}


def test_a_run_without_news_does_nothing(fleet):
    """Carried again, nothing is pending."""
    settings, _ = fleet
    assert carry(settings, DOMAIN).nothing_new
