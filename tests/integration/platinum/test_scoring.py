"""The platinum stream: each visit is scored once, by features as of its time, whatever stops it."""

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
from lakehouse.storage import compaction as tables_upkeep
from lakehouse.storage.tables import Tables
from operations.maintenance import maintain
from platinum.scoring.onnx_scorer import probabilities
from platinum.scoring.scoring import score
from platinum.training.model_store import ModelStore
from tests.integration.platinum.shop import (
    copied,
    day,
    land,
    line,
    name,
    rows_of,
    write_candidates,
)

pytestmark = pytest.mark.spark
SCORES = name("platinum", "scores")


@pytest.fixture
def ready(trained, tmp_path):
    """The small domain with a trained model and candidates, and no visit yet."""
    return copied(trained, tmp_path / "home")


def run(settings, **more):
    """Return the summary of the small domain's stream."""
    return score(settings, "shop", **more)["taste"]


def scored(settings):
    """Return how often each visit and offer was scored."""
    return Counter((row["visit"], row["offer"]) for row in rows_of(settings, SCORES))


MIXED = [
    line(21, 1, who=1),
    line(21, 2, who=None),
    line(21, 3, who=1, price=-5.0),
    line(22, 1, who=0),
    line(22, 2, who=2, _rescued=[("paid_at", "soon")]),
    line(24, 1, who=4, paid_at=day(99)),
    line(25, 1, who=3),
    line(26, 1, who=5, paid_at=day(120)),
    line(27, 1, who=7, _op="r"),
    line(28, 1, who=8, _op="d"),
    line(29, 1, who=None) | {"visit": None, "_rescued": [("_line", "{broken")]},
]


@pytest.fixture(scope="module")
def one_batch(trained, tmp_path_factory, spark):
    """A home where many visits were scored in one call that leaves out an earlier run's, and its summary.

    Visits 1 to 10 have three lines each, by the person of that number; person 3 has no candidate.
    """
    settings = copied(trained, tmp_path_factory.mktemp("batch") / "home")
    land(settings, [line(40, 1, who=1, _batch=1)])
    lines = [line(visit, number, who=visit) for visit in range(1, 11) for number in range(3)]
    land(settings, [row | {"_batch": 2} for row in (*lines, *MIXED)])
    return settings, run(settings, since_batch=2)


def test_a_visit_is_scored_with_the_features_of_gold(one_batch):
    """Online equals offline: the stream's score is the model's output for gold's own row."""
    settings, summary = one_batch
    model = ModelStore.of(settings, "shop", "taste").current()
    candidates = {
        (row["who"], row["offer"]): row for row in rows_of(settings, name("gold", "candidates"))
    }
    rows = rows_of(settings, SCORES)
    assert {row["visit"] for row in rows} == {1, 2, 4, 5, 6, 7, 8, 9, 10, 21}
    for row in rows:
        candidate = candidates[row["who"], row["offer"]]
        features = [float(candidate[column]) for column in model.columns]
        assert row["score"] == pytest.approx(
            float(probabilities(model.onnx, np.array([features]))[0]), abs=1e-7
        )
        assert row["event_time"] == day(101)
        assert row["latency_ms"] >= 0
        assert (row["model_version"], row["context_version"]) == (model.manifest["version"], 0)
        assert row["_batch"] == summary["run"]


def test_only_the_best_candidate_is_acted_on(one_batch):
    """Ranks follow the scores; one offer a visit, and none whose score is below the threshold."""
    settings, _ = one_batch
    threshold = ModelStore.of(settings, "shop", "taste").current().manifest["threshold"]
    rows = rows_of(settings, SCORES)
    actions = set()
    for visit in {row["visit"] for row in rows}:
        first, second = sorted(
            (row for row in rows if row["visit"] == visit), key=lambda row: row["rank"]
        )
        assert (first["rank"], second["rank"]) == (1, 2)
        assert first["score"] >= second["score"]
        assert first["action"] == ("show" if first["score"] >= threshold else "wait")
        assert second["action"] == "wait"
        actions.add(first["action"])
    assert actions == {"show", "wait"}, "the threshold separates the visits"


def test_events_that_are_not_scored_are_counted_with_their_reason(one_batch):
    """Bad rows, old events, strangers and other operations: none scored, none lost from the count."""
    _, summary = one_batch
    assert summary["left_out"] == {
        "no row of theirs is usable": 2,
        "happened before the features of the published gold": 1,
        "their entity has no candidate": 3,
    }
    assert (summary["lines"], summary["bad_lines"]) == (30 + 9, 4)
    assert (summary["events"], summary["scored"], summary["rows"]) == (10 + 6, 10, 20)


def test_rows_of_earlier_runs_can_be_left_out(one_batch):
    """With a first batch to read from, older rows are not read at all."""
    settings, _ = one_batch
    assert 40 in {row["visit"] for row in rows_of(settings, name("bronze", "visits"))}
    assert 40 not in {row["visit"] for row in rows_of(settings, SCORES)}


def test_nothing_new_starts_nothing(one_batch):
    """A second call writes no table and starts no run."""
    settings, _ = one_batch
    tables = Tables.at(settings)
    before = {table: tables.version(table) for table in tables.names()}
    assert run(settings)["run"] == 0
    assert {table: tables.version(table) for table in tables.names()} == before


def test_a_visit_in_two_batches_is_scored_once(scored_once, spark):
    """Lines that come later find their visit scored; new visits beside them are scored."""
    land(scored_once, [line(1, 2, who=1), line(2, 1, who=2)])
    summary = run(scored_once)
    assert summary["left_out"] == {"scored before": 1}
    assert scored(scored_once) == dict.fromkeys([(1, 1), (1, 2), (2, 1), (2, 2)], 1)


def test_a_lost_checkpoint_loses_and_doubles_nothing(scored_once, spark):
    """A new checkpoint counts its batches from 0, yet the scores of new visits are written."""
    shutil.rmtree(scored_once.home / "checkpoints")
    land(scored_once, [line(2, 1, who=2)])
    run(scored_once)
    assert scored(scored_once) == dict.fromkeys([(1, 1), (1, 2), (2, 1), (2, 2)], 1)


def test_a_damaged_checkpoint_loses_and_doubles_nothing(scored_once, spark):
    """Its last offsets cut off, the stream begins a new one, and the old one is kept aside."""
    (checkpoint,) = (scored_once.home / "checkpoints" / "shop").iterdir()
    last = max((checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    last.write_bytes(last.read_bytes()[:20])
    land(scored_once, [line(2, 1, who=2)])
    run(scored_once)
    assert scored(scored_once) == dict.fromkeys([(1, 1), (1, 2), (2, 1), (2, 2)], 1)
    assert checkpoint.with_name(f"{checkpoint.name}.damaged-1").is_dir()


def test_visits_are_joined_with_the_published_candidates(ready, spark):
    """Candidates that gold wrote after its last publication count after the next one only."""
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


def test_new_columns_and_rewritten_files_do_not_stop_it(scored_once, spark):
    """Bronze gains a column, then its files are compacted: the stream goes on."""
    path = Tables.at(scored_once).path(name("bronze", "visits"))
    land(scored_once, [line(2, 1, who=2)])
    spark.sql(f"alter table delta.`{path}` add columns (coupon string)")
    land(scored_once, [line(4, 1, who=4)])
    spark.sql(f"optimize delta.`{path}`")
    spark.sql(f"delete from delta.`{path}` where visit = 1")
    land(scored_once, [line(5, 1, who=5)])
    run(scored_once)
    assert set(scored(scored_once).values()) == {1}
    assert {visit for visit, _ in scored(scored_once)} == {1, 2, 4, 5}


def test_always_on_scores_what_arrives(ready, spark, monkeypatch):
    """It waits for events, scores each once beside maintenance, and ends when its query is stopped."""
    monkeypatch.setattr(tables_upkeep, "FEW", 2)
    land(ready, [line(1, 1, who=1)])
    reported, summary = {1: threading.Event(), 2: threading.Event()}, {}

    def progress(text):
        for count, event in reported.items():
            if text.endswith(f" {count} events scored"):
                event.set()

    def work():
        summary.update(run(ready, always_on=True, progress=progress))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert reported[1].wait(120)
        land(ready, [line(9, 1, who=3)])
        (maintained,) = [d for d in maintain(ready, "shop")["domains"] if d["domain"] == "shop"]
        assert maintained["tables"]
        assert not maintained["busy"]
        spark.sql(f"optimize delta.`{Tables.at(ready).path(name('bronze', 'visits'))}`")
        land(ready, [line(2, 1, who=2)])
        assert reported[2].wait(120)
    finally:
        for query in spark.streams.active:
            query.stop()
        thread.join(60)
    assert summary["scored"] == 2
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
def test_killed_in_a_batch_nothing_is_lost_or_doubled(ready, spark):
    """SIGKILL just before the scores are committed, in the next call just after, then a whole one."""
    land(ready, [line(visit, number, who=visit) for visit in (1, 2) for number in range(2)])
    for place, rows in (("before", 0), ("after", 4)):
        ended = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(ready.home), place],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert len(rows_of(ready, SCORES)) == rows
    land(ready, [line(4, 1, who=4)])
    run(ready)
    expected = [(visit, offer) for visit in (1, 2, 4) for offer in (1, 2)]
    assert scored(ready) == dict.fromkeys(expected, 1)
