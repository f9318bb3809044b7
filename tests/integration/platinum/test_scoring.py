"""The platinum stream: each visit scored once, with what was known, whatever stops it."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gold import publish
from lakehouse.errors import UsageError
from lakehouse.storage import compaction as tables_upkeep
from lakehouse.storage.tables import Tables
from operations.maintenance import maintain
from platinum.scoring.checkpoints import damaged
from platinum.scoring.onnx_scorer import probabilities
from platinum.scoring.scoring import score
from platinum.training.model_store import ModelStore
from platinum.training.training import train
from tests.integration.platinum.shop import (
    day,
    land,
    line,
    name,
    rows_of,
    write_candidates,
    write_history,
)

pytestmark = pytest.mark.spark
SCORES = name("platinum", "scores")


@pytest.fixture
def ready(settings):
    """The small domain with a trained model and candidates, and no visit yet."""
    write_candidates(settings, write_history(settings))
    train(settings, "shop")
    return settings


def run(settings, **more):
    """Return what the small domain's stream did."""
    return score(settings, "shop", **more)["taste"]


def scored(settings):
    """Return how often each visit and offer was scored."""
    return Counter((row["visit"], row["offer"]) for row in rows_of(settings, SCORES))


def test_a_visit_is_scored_with_the_features_of_gold(ready, spark):
    """Online equals offline: the stream's score is the model's answer to gold's own row."""
    land(ready, [line(visit, number, who=visit) for visit in (1, 2, 4) for number in range(3)])
    told = run(ready)
    assert (told["events"], told["scored"], told["rows"], told["lines"]) == (3, 3, 6, 9)
    model = ModelStore.of(ready, "shop", "taste").current()
    known = {(row["who"], row["offer"]): row for row in rows_of(ready, name("gold", "candidates"))}
    for row in rows_of(ready, SCORES):
        features = [float(known[row["who"], row["offer"]][column]) for column in model.columns]
        assert row["score"] == pytest.approx(
            float(probabilities(model.onnx, np.array([features]))[0]), abs=1e-7
        )
        assert row["event_time"] == day(101)
        assert row["latency_ms"] >= 0
        assert (row["model_version"], row["context_version"]) == (model.manifest["version"], 0)
        assert row["_batch"] == told["run"]


def test_only_the_best_candidate_is_acted_on(ready, spark):
    """Ranks follow the scores; one offer a visit, and none whose score is below the threshold."""
    land(ready, [line(visit, 1, who=visit) for visit in range(1, 11)])
    run(ready)
    threshold = ModelStore.of(ready, "shop", "taste").current().manifest["threshold"]
    rows = rows_of(ready, SCORES)
    for visit in {row["visit"] for row in rows}:
        first, second = sorted(
            (row for row in rows if row["visit"] == visit), key=lambda row: row["rank"]
        )
        assert (first["rank"], second["rank"]) == (1, 2)
        assert first["score"] >= second["score"]
        assert first["action"] == ("show" if first["score"] >= threshold else "wait")
        assert second["action"] == "wait"


def test_what_is_not_scored_is_counted_with_its_reason(ready, spark):
    """Bad rows, old events, strangers and other operations: none scored, none lost from the count."""
    land(
        ready,
        [
            line(1, 1, who=1),
            line(1, 2, who=None),
            line(1, 3, who=1, price=-5.0),
            line(2, 1, who=0),
            line(2, 2, who=2, _rescued=[("paid_at", "soon")]),
            line(4, 1, who=4, paid_at=day(99)),
            line(5, 1, who=3),
            line(6, 1, who=5, paid_at=day(120)),
            line(7, 1, who=7, _op="r"),
            line(8, 1, who=8, _op="d"),
            line(9, 1, who=None) | {"visit": None, "_rescued": [("_line", "{broken")]},
        ],
    )
    told = run(ready)
    assert scored(ready) == {(1, 1): 1, (1, 2): 1}
    assert told["left_out"] == {
        "no row of theirs is usable": 2,
        "happened before the features of the published gold": 1,
        "their entity has no candidate": 2,
    }
    assert (told["lines"], told["bad_lines"], told["events"]) == (9, 4, 6)


def test_nothing_new_starts_nothing(ready, spark):
    """A second call writes no table and starts no run."""
    land(ready, [line(1, 1, who=1)])
    run(ready)
    before = {table: Tables.at(ready).version(table) for table in Tables.at(ready).names()}
    assert run(ready)["run"] == 0
    assert {table: Tables.at(ready).version(table) for table in Tables.at(ready).names()} == before


def test_a_visit_in_two_batches_is_scored_once(ready, spark):
    """Lines that come later find their visit scored; new visits beside them are not held up."""
    land(ready, [line(1, 1, who=1)])
    run(ready)
    land(ready, [line(1, 2, who=1), line(2, 1, who=2)])
    told = run(ready)
    assert told["left_out"] == {"scored before": 1}
    assert scored(ready) == dict.fromkeys([(1, 1), (1, 2), (2, 1), (2, 2)], 1)


def test_a_lost_checkpoint_loses_and_doubles_nothing(ready, spark):
    """A new checkpoint counts its batches from 0, yet what it finds new is written."""
    land(ready, [line(1, 1, who=1)])
    run(ready)
    shutil.rmtree(ready.home / "checkpoints")
    land(ready, [line(2, 1, who=2)])
    run(ready)
    assert scored(ready) == dict.fromkeys([(1, 1), (1, 2), (2, 1), (2, 2)], 1)


@pytest.mark.parametrize("file", ["metadata", "offsets/0", "commits/0", "offsets/1"])
@pytest.mark.parametrize(
    "left", [b"", b'v1\n{"batchW', b"\x00" * 64], ids=["empty", "cut", "zeros"]
)
def test_a_damaged_checkpoint_is_found_before_spark_stops_at_it(tmp_path, file, left):
    """A file that lost its end, or all, is named; whole ones are not, nor is a folder that is none."""
    checkpoint = tmp_path / "checkpoint"
    assert damaged(checkpoint) == ""
    for folder in ("offsets", "commits"):
        (checkpoint / folder).mkdir(parents=True)
        for number in ("0", "1"):
            (checkpoint / folder / number).write_text('v1\n{"batchWatermarkMs":0}\n-')
    (checkpoint / "metadata").write_text('{"id":"x"}')
    assert damaged(checkpoint) == ""
    (checkpoint / file).write_bytes(left)
    assert damaged(checkpoint) == file


def test_a_damaged_checkpoint_loses_and_doubles_nothing(ready, spark):
    """Its last offsets cut off, the stream begins a new one, and the old one is kept aside."""
    land(ready, [line(1, 1, who=1)])
    run(ready)
    (checkpoint,) = (ready.home / "checkpoints" / "shop").iterdir()
    last = max((checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    last.write_bytes(last.read_bytes()[:20])
    land(ready, [line(2, 1, who=2)])
    run(ready)
    assert scored(ready) == dict.fromkeys([(1, 1), (1, 2), (2, 1), (2, 2)], 1)
    assert checkpoint.with_name(f"{checkpoint.name}.damaged-1").is_dir()


def test_the_published_candidates_are_met(ready, spark):
    """What gold wrote after its last publication is not met; after the next one it is."""
    tables, candidates = Tables.at(ready), name("gold", "candidates")
    visits = [5] * 200

    def publish_at(run, version):
        publication = publish.Publication(
            run=run, domain="shop", versions={candidates: version}, views={}, consumed={}, code="x"
        )
        publish.append(tables, publication)

    publish_at(1, 0)
    write_candidates(ready, visits, people=[3])
    land(ready, [line(1, 1, who=1), line(2, 1, who=3)])
    run(ready)
    publish_at(2, 1)
    land(ready, [line(3, 1, who=1), line(4, 1, who=3)])
    run(ready)
    assert set(scored(ready)) == {(1, 1), (1, 2), (4, 1), (4, 2)}
    assert {row["visit"]: row["context_version"] for row in rows_of(ready, SCORES)} == {1: 0, 4: 1}


def test_new_columns_and_rewritten_files_do_not_stop_it(ready, spark):
    """Bronze gains a column, then its files are compacted: the stream goes on."""
    path = Tables.at(ready).path(name("bronze", "visits"))
    land(ready, [line(1, 1, who=1)])
    run(ready)
    land(ready, [line(2, 1, who=2)])
    spark.sql(f"alter table delta.`{path}` add columns (coupon string)")
    land(ready, [line(4, 1, who=4)])
    spark.sql(f"optimize delta.`{path}`")
    spark.sql(f"delete from delta.`{path}` where visit = 1")
    land(ready, [line(5, 1, who=5)])
    run(ready)
    assert set(scored(ready).values()) == {1}
    assert {visit for visit, _ in scored(ready)} == {1, 2, 4, 5}


def test_rows_of_earlier_runs_can_be_left_out(ready, spark):
    """With a first batch to read from, older rows are not read at all."""
    land(ready, [line(1, 1, who=1)])
    land(ready, [line(2, 1, who=2, _batch=2)])
    assert run(ready, since_batch=2)["events"] == 1
    assert {visit for visit, _ in scored(ready)} == {2}


def test_what_is_missing_is_told(settings):
    """No model, no bronze: told before a JVM is asked for anything."""
    with pytest.raises(UsageError, match="was not trained yet"):
        run(settings)
    visits = write_history(settings)
    train(settings, "shop")
    with pytest.raises(UsageError, match=r"bronze.shop__visits does not exist yet"):
        run(settings)
    land(settings, [line(1, 1, who=1)])
    with pytest.raises(UsageError, match=r"gold.shop__candidates does not exist yet"):
        run(settings)
    assert len(visits)


def test_always_on_scores_what_arrives(ready, spark, monkeypatch):
    """It waits for events, scores each once beside maintenance, and ends when its query is stopped."""
    monkeypatch.setattr(tables_upkeep, "FEW", 2)
    land(ready, [line(1, 1, who=1)])
    said, told = {1: threading.Event(), 2: threading.Event()}, {}

    def progress(text):
        for count, event in said.items():
            if text.endswith(f" {count} events scored"):
                event.set()

    def work():
        told.update(run(ready, always_on=True, progress=progress))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert said[1].wait(120)
        land(ready, [line(9, 1, who=3)])
        (maintained,) = [d for d in maintain(ready, "shop")["domains"] if d["domain"] == "shop"]
        assert maintained["tables"]
        assert not maintained["busy"]
        spark.sql(f"optimize delta.`{Tables.at(ready).path(name('bronze', 'visits'))}`")
        land(ready, [line(2, 1, who=2)])
        assert said[2].wait(120)
    finally:
        for query in spark.streams.active:
            query.stop()
        thread.join(60)
    assert told["scored"] == 2
    assert scored(ready) == dict.fromkeys([(1, 1), (1, 2), (2, 1), (2, 2)], 1)


KILLED = """
    import os, signal, sys
    from lakehouse.settings import Settings
    from platinum.scoring import micro_batch, scoring
    write, place = micro_batch.Scorer._write, sys.argv[2]
    def killed(self, *given):
        if place == "after":
            write(self, *given)
        os.kill(os.getpid(), signal.SIGKILL)
    micro_batch.Scorer._write = killed
    settings = Settings(home=sys.argv[1], contracts=sys.argv[1] + "/contracts", driver_memory="1g")
    scoring.score(settings, "shop")
"""


@pytest.mark.slow
@pytest.mark.parametrize("place", ["before", "after"])
def test_killed_in_a_batch_nothing_is_lost_or_doubled(ready, spark, place):
    """SIGKILL just before or just after the scores are committed, then the same call again."""
    land(ready, [line(visit, number, who=visit) for visit in (1, 2) for number in range(2)])
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(ready.home), place],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert len(rows_of(ready, SCORES)) == (0 if place == "before" else 4)
    land(ready, [line(4, 1, who=4)])
    run(ready)
    expected = [(visit, offer) for visit in (1, 2, 4) for offer in (1, 2)]
    assert scored(ready) == dict.fromkeys(expected, 1)
