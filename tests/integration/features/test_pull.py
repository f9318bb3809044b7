"""Pulling feature sets: files in and out, versions, and what a user may get wrong."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from gold import publish
from gold.features import _write, feature_sets, pull
from lakehouse.errors import UsageError
from lakehouse.storage.tables import TableName, Tables
from tests.integration.features.shop import at, write

ROWS = [(1, 0, 10, 1, "a"), (2, 5, 20, 1, "b"), (1, 60, 11, 1, "c")]
HABITS = TableName.of("gold", "shop", "habits")


def ask(settings, tmp_path, text, name="habits", **more):
    """Return the rows for a CSV file of entities."""
    (tmp_path / "who.csv").write_text(text)
    summary = pull(
        settings, "shop", name, tmp_path / "who.csv", out=tmp_path / "out.parquet", **more
    )
    return summary, pq.read_table(tmp_path / "out.parquet").to_pylist()


def test_sets_are_listed_with_their_version(settings):
    """A set says its table, entity, columns and the version it would be read at."""
    write(settings, "habits", ROWS)
    habits, moods = feature_sets(settings, "shop")
    assert (habits["name"], habits["entity"], habits["columns"]) == ("habits", ["who"], ["value"])
    assert (habits["version"], moods["version"]) == (0, -1)
    assert (habits["maximum_age_days"], moods["maximum_age_days"]) == (None, 1)


def test_entities_keep_their_order_and_their_own_columns(settings, tmp_path):
    """Repeated and unknown entities stay, each in its place, with what else the file says."""
    write(settings, "habits", ROWS)
    text = "note,who,timestamp\nx,2,2020-01-02\ny,9,2020-01-02\nz,1,2020-01-02\nx,2,2020-01-02\n"
    summary, rows = ask(settings, tmp_path, text)
    assert [(row["note"], row["who"], row["value"]) for row in rows] == [
        ("x", 2, 20), ("y", 9, None), ("z", 1, 11), ("x", 2, 20),
    ]  # fmt: skip
    assert (summary["rows"], summary["matched"], summary["missing"]) == (
        4,
        {"habits": 3},
        {"habits": 1},
    )
    assert summary["versions"] == {"gold.shop__habits": 0}


def test_one_instant_for_all(settings, tmp_path):
    """Without a column of times, the requested instant counts for each entity and is written out."""
    write(settings, "habits", ROWS)
    _, rows = ask(settings, tmp_path, "who\n1\n2\n", as_of="2020-01-01T00:30:00")
    assert [(row["value"], row["timestamp"]) for row in rows] == [(10, at(30)), (20, at(30))]


def test_the_published_version_is_read(settings, tmp_path):
    """What a run wrote after the last publication is not seen yet."""
    write(settings, "habits", ROWS)
    publish.append(
        Tables.at(settings),
        publish.Publication(
            run=1, domain="shop", versions={HABITS: 0}, views={}, consumed={}, code="x"
        ),
    )
    write(settings, "habits", [(1, 61, 99, 2, "z")])
    summary, rows = ask(settings, tmp_path, "who,timestamp\n1,2020-01-02\n")
    assert (rows[0]["value"], summary["versions"]) == (11, {"gold.shop__habits": 0})
    assert feature_sets(settings, "shop")[0]["version"] == 0


def test_many_entities_are_read_by_range(settings, tmp_path):
    """More entities than can be listed one by one give the same rows."""
    write(settings, "habits", [(key, 0, key * 2, 1, "a") for key in range(1, 6001)])
    text = "who,timestamp\n" + "".join(f"{key},2020-01-02\n" for key in range(3000, 6001))
    summary, rows = ask(settings, tmp_path, text)
    assert summary["matched"] == {"habits": 3001}
    assert all(row["value"] == row["who"] * 2 for row in rows)


def test_csv_goes_out_as_it_came_in(settings, tmp_path):
    """A CSV file is written by its suffix."""
    write(settings, "habits", ROWS)
    (tmp_path / "who.csv").write_text("who,timestamp\n1,2020-01-02\n")
    pull(settings, "shop", "habits", tmp_path / "who.csv", out=tmp_path / "out.csv")
    assert pa.csv.read_csv(tmp_path / "out.csv")["value"].to_pylist() == [11]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("timestamp\n2020-01-01\n", ["who.csv", "'who' is missing"]),
        ("who\n1\n", ["who.csv", "'timestamp' is missing"]),
        ("who,timestamp\nann,2020-01-01\n", ["who.csv", "'who'", "ann"]),
        ("who,timestamp\n1.5,2020-01-01\n", ["who.csv", "'who'", "1.5"]),
        ("who,timestamp\n1,yesterday\n", ["who.csv", "'timestamp'", "yesterday"]),
        ("who,timestamp\n1,\n", ["who.csv", "'timestamp' is empty in 1 rows, first in row 1"]),
        ("who,timestamp\n1,2020-01-01,7\n", ["who.csv", "not readable as csv"]),
    ],
)
def test_a_bad_file_is_named_with_its_column(settings, tmp_path, text, parts):
    """A missing column, a wrong type, a time that is none: file, column and value are named."""
    write(settings, "habits", ROWS)
    with pytest.raises(UsageError) as error:
        ask(settings, tmp_path, text)
    assert all(part in str(error.value) for part in parts), str(error.value)
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("values", [[True], [1.5], [at(0)]])
def test_a_key_of_another_type_is_refused(settings, tmp_path, values):
    """A boolean, a broken number or a time is no whole number, whatever Arrow would make of it."""
    write(settings, "habits", ROWS)
    pq.write_table(pa.table({"who": values, "timestamp": [at(0)]}), tmp_path / "who.parquet")
    with pytest.raises(UsageError, match="column 'who' is"):
        pull(settings, "shop", "habits", tmp_path / "who.parquet", out=tmp_path / "out.parquet")


def test_other_mistakes_are_named(settings, tmp_path):
    """An unknown set, a table that is not there, a file that is none, two instants."""
    text = "who,timestamp\n1,2020-01-01\n"
    with pytest.raises(UsageError, match="no feature set 'hats'; there is: habits, moods"):
        ask(settings, tmp_path, text, name="hats")
    with pytest.raises(UsageError, match=r"gold.shop__habits does not exist yet"):
        ask(settings, tmp_path, text)
    write(settings, "habits", ROWS)
    with pytest.raises(UsageError, match="one instant for all: leave one out"):
        ask(settings, tmp_path, text, as_of="2020-01-01")
    with pytest.raises(UsageError, match="no such file"):
        pull(settings, "shop", "habits", tmp_path / "none.csv", out=tmp_path / "out.csv")
    with pytest.raises(UsageError, match=r"ends in .parquet or .csv"):
        pull(settings, "shop", "habits", tmp_path / "who.csv", out=tmp_path / "out.xlsx")


def test_no_spark_is_loaded():
    """Pulling features imports no pyspark, so it starts no JVM."""
    program = "import sys, gold.features; sys.exit('pyspark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_binary_features_are_hexadecimal_in_csv(tmp_path):
    """A hash key in a feature set is no reason not to write CSV, which knows text alone."""
    rows = pa.table({"who": [1, 2], "key": pa.array([b"\x00\xff", None], pa.binary_view())})
    _write(rows, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == '"who","key"\n1,"00ff"\n2,\n'
