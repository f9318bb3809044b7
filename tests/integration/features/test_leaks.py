"""The leak oracle: what a plain loop over all rows would have known at each instant."""

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from gold.features import pull
from tests.integration.features.shop import at, shop, write

DAY = 24 * 60
who = st.integers(1, 3)
minute = st.integers(0, 3 * DAY)
feature = st.tuples(
    who, minute, st.one_of(st.none(), st.integers(0, 9)), st.integers(1, 3), st.sampled_from("abc")
)
entity = st.tuples(st.one_of(st.none(), st.integers(1, 4)), minute)


def latest(rows, key, minutes, oldest):
    """Return (minute, value) of the newest row of `key` usable at `minutes`, or (None, None)."""
    best = None
    for owner, since, value, batch, sequence in rows:
        if owner != key or since > minutes or minutes - since > oldest:
            continue
        rank = (since, batch, sequence, value is not None, value or 0)
        if best is None or rank > best[0]:
            best = (rank, since, value)
    return (None, None) if best is None else best[1:]


@how(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(feature, min_size=1, max_size=25), st.lists(entity, max_size=12), st.randoms())
def test_every_entity_gets_what_was_known_then_and_nothing_later(rows, entities, random):
    """Ties, late rows, any order of arrival, repeated entities: each row equals the oracle's."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = shop(home)
        late = list(rows)
        random.shuffle(late)
        for part in (late[::2], late[1::2]):
            for name in ("habits", "moods"):
                write(settings, name, part)
        keys, times = [key for key, _ in entities], [at(minutes) for _, minutes in entities]
        requested = {
            "who": pa.array(keys, pa.int64()),
            "timestamp": pa.array(times, pa.timestamp("us", tz="UTC")),
            "place": pa.array(range(len(entities)), pa.int64()),
        }
        pq.write_table(pa.table(requested), home / "who.parquet")
        summary = pull(
            settings, "shop", "habits,moods", home / "who.parquet", out=home / "out.parquet"
        )
        pulled = pq.read_table(home / "out.parquet").to_pylist()
    assert [row["place"] for row in pulled] == list(range(len(entities)))
    for name, oldest in (("habits", 10**9), ("moods", DAY)):
        expected = [latest(rows, key, minutes, oldest) for key, minutes in entities]
        assert [row[f"{name}__value"] for row in pulled] == [value for _, value in expected]
        assert [row[f"{name}__known_at"] for row in pulled] == [
            None if since is None else at(since) for since, _ in expected
        ]
        matched = sum(since is not None for since, _ in expected)
        assert summary["matched"][name] == matched
        assert summary["missing"][name] == len(entities) - matched


def test_a_row_is_valid_from_its_own_instant_on(settings, tmp_path):
    """The instant itself is in, the microsecond before it is out."""
    write(settings, "habits", [(1, 10, 5, 1, "a")])
    text = "who,timestamp\n1,2020-01-01T00:10:00Z\n1,2020-01-01T00:09:59.999999Z\n"
    (tmp_path / "who.csv").write_text(text)
    pull(settings, "shop", "habits", tmp_path / "who.csv", out=tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["value"].to_pylist() == [5, None]


@pytest.mark.parametrize("kind", ["naive", "offset", "date", "nanoseconds"])
def test_times_of_every_kind_are_read_as_utc(settings, tmp_path, kind):
    """No offset is UTC, an offset is honoured, finer digits never move an instant forward."""
    write(settings, "habits", [(1, 0, 1, 1, "a"), (1, 300, 2, 1, "a")])
    times = {
        "naive": pa.array(["2020-01-01T04:59:59.999999"]),
        "offset": pa.array(["2019-12-31T23:59:59.999999-05:00"]),
        "date": pa.array([at(0).date()], pa.date32()),
        "nanoseconds": pa.array([int(at(300).timestamp()) * 10**9 - 1], pa.timestamp("ns")),
    }
    pq.write_table(pa.table({"who": [1], "timestamp": times[kind]}), tmp_path / "who.parquet")
    pull(settings, "shop", "habits", tmp_path / "who.parquet", out=tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["value"].to_pylist() == [1]


@pytest.mark.parametrize("year", ["0001", "1600", "2500", "9999"])
def test_an_instant_far_away_can_be_requested(settings, tmp_path, year):
    """Long before the first row nothing is known, long after it the last row is."""
    write(settings, "habits", [(1, 0, 1, 1, "a")])
    write(settings, "moods", [(1, 0, 1, 1, "a")])
    (tmp_path / "who.csv").write_text(f"who,timestamp\n1,{year}-01-02\n")
    pull(settings, "shop", "habits,moods", tmp_path / "who.csv", out=tmp_path / "out.parquet")
    pulled = pq.read_table(tmp_path / "out.parquet")
    assert pulled["habits__value"].to_pylist() == [1 if year > "2020" else None]
    assert pulled["moods__value"].to_pylist() == [None]
