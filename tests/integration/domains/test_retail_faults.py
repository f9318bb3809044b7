"""Planted faults: which there are, that they only add, and that the manifest lists what was sent."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domains.retail import source
from lakehouse.quality import fault_manifest
from tests.integration.domains.changelog import LOGGED, as_multiset, folded, real_state, sent

SEED = 7
KINDS = {
    "bad encoding", "clock skew", "conflicting correction", "delete first", "doubtful value",
    "duplicate event", "key change", "late event", "missing day", "missing value", "orphan",
    "out of range", "re-sent file", "reordered file", "schema drift", "torn line",
    "truncated file", "unknown operation", "wrong type",
}  # fmt: skip


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A folder with all four days and faults in each, landed in one call."""
    folder = tmp_path_factory.mktemp("faulty") / "landing" / "retail"
    source.land(folder, days=None, scale="tiny", faults=SEED)
    return folder


def contents(folder):
    """Everything below the folder's parent: files, state and manifest."""
    return {
        str(path.relative_to(folder.parent)): path.read_bytes()
        for path in sorted(folder.parent.rglob("*"))
        if path.is_file()
    }


def manifest(folder):
    return fault_manifest.read(fault_manifest.path_of(folder))


def test_what_is_imported_beside_does_not_count(faulty, tmp_path, monkeypatch):
    """pyspark.pandas and Pandera make Arrow pass over time zones: the manifest is the same."""
    monkeypatch.setenv("PYARROW_IGNORE_TIMEZONE", "1")
    folder = tmp_path / "landing" / "retail"
    source.land(folder, days=None, scale="tiny", faults=SEED)
    assert contents(folder) == contents(faulty)


def test_every_kind_is_planted_on_every_day(faulty):
    """Nineteen kinds; only what needs a next day is not there on the last one."""
    planted = manifest(faulty)
    assert planted.seeds == {str(day): SEED for day in source.days()}
    for day in source.days():
        kinds = {fault.kind for fault in planted.faults if fault.day == str(day)}
        late = {"late event", "missing day"} if day == source.LAST_DAY else set()
        assert kinds == KINDS - late


@pytest.mark.parametrize("dataset", LOGGED)
def test_faults_only_add(landing, faulty, dataset):
    """In the source's order the real rows at the end are those of a landing without faults."""
    plain = real_state(landing, dataset, source.LAST_DAY)
    assert as_multiset(folded(faulty, dataset, sent(faulty, dataset))) == as_multiset(plain)


def test_days_landed_one_by_one_are_the_same_files_and_the_same_manifest(faulty, tmp_path):
    """Splitting the landing into calls changes no byte at the end, also after a lost state."""
    folder = tmp_path / "landing" / "retail"
    source.land(folder, days=2, scale="tiny", faults=SEED)
    state = (folder / ".source.json").read_bytes()
    source.land(folder, days=1, faults=SEED)
    (folder / ".source.json").write_bytes(state)
    source.land(folder, days=1, faults=SEED)
    source.land(folder, days=1, faults=SEED)
    assert contents(folder) == contents(faulty)


def test_delayed_files_and_lines_come_also_on_a_day_without_faults(faulty, tmp_path):
    """Faults of one day: the next day sends the rest, the others are as ever."""
    folder = tmp_path / "landing" / "retail"
    source.land(folder, days=1, scale="tiny", faults=SEED)
    drop = folder / "promotions" / "drops" / "week-53.parquet"
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(drop)
    delayed = [fault for fault in manifest(folder).faults if fault.due]
    assert {fault.due for fault in delayed} == {str(source.days()[1])}
    before = manifest(folder).expected
    source.land(folder, days=1)
    assert pq.read_table(drop).num_rows
    planted = manifest(folder)
    assert planted.through == str(source.days()[1])
    assert {fault.day for fault in planted.faults if fault.kind == "late event"} == {
        str(source.START_DAY)
    }
    late = [fault for fault in planted.faults if fault.promise == "late"]
    assert len(late) == 2
    for fault in late:
        assert hashlib.sha256((folder / fault.file).read_bytes()).hexdigest() == fault.sha256
    assert planted.expected.keys() - before.keys() == {"promotions"}, "stopped by its broken file"
    for name, rows in before.items():
        assert planted.expected[name].input >= rows.input


def test_the_manifest_counts_the_lines_of_the_files(faulty):
    """Lines that can be read and that nothing is wrong with are events; all lines are rows."""
    expected = manifest(faulty).expected
    for dataset in LOGGED:
        files = sorted((faulty / dataset / "changes").glob("*.jsonl"))
        lines = [
            line
            for file in {path.read_bytes(): path for path in files}.values()
            for line in file.read_bytes().splitlines()
        ]
        snapshot = pq.read_table(faulty / dataset / "snapshot").num_rows
        rows = expected[dataset]
        assert rows.input == snapshot + len(lines)
        assert rows.input == rows.valid + rows.quarantined + rows.superseded
    unread = Counter(fault.dataset for fault in manifest(faulty).faults if fault.line)
    assert expected["products"].quarantined == unread["products"] == 4
    assert expected["coupon_redemptions"].quarantined == unread["coupon_redemptions"] == 4


def test_other_seeds_plant_elsewhere(faulty, tmp_path):
    """Another seed has the same kinds in other rows; an edited manifest is refused."""
    folder = tmp_path / "landing" / "retail"
    source.land(folder, days=1, scale="tiny", faults=SEED + 1)
    day = str(source.START_DAY)
    other, first = (
        [f.position for f in m.faults if f.day == day and f.kind == "late event"]
        for m in (manifest(folder), manifest(faulty))
    )
    assert set(other) != set(first)
    path = fault_manifest.path_of(folder)
    content = json.loads(path.read_text())
    content["faults"].pop()
    path.write_text(json.dumps(content))
    with pytest.raises(fault_manifest.LakehouseError, match="changed after it was sealed"):
        manifest(folder)
