"""Enrichment: each text is paid for once, whatever stops the job and however often it runs."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.storage.tables import Tables
from platinum.enrichment.enrichment import enrich
from platinum.inference import EmbeddingModel, embedder, wordllama
from platinum.inference.server import ServerEmbedder
from tests.integration.platinum import server
from tests.integration.platinum.shop import name, rows_of, shop, write_goods

VECTORS = name("platinum", "vectors")
GOODS = [(number, f"Thing {number // 2}", "Acme", "c", f"{number:04d}") for number in range(50)]


def run(settings, **more):
    """Return what the small domain's job did."""
    return enrich(settings, "shop", **more)["words"]


def test_each_text_is_embedded_once_and_shared(settings):
    """Fifty goods with 25 texts cost 25 inputs, in a few commits."""
    write_goods(settings, GOODS)
    summary = run(settings)
    assert (summary["rows"], summary["embedded"], summary["shared"]) == (50, 25, 25)
    # the table was made empty, in a commit of its own
    assert summary["commits"] == Tables.at(settings).version(VECTORS) == 5
    by_good = {row["good"]: row for row in rows_of(settings, VECTORS)}
    assert by_good[0]["text"] == "thing 0, acme"
    assert by_good[0]["embedding"] == by_good[1]["embedding"] != by_good[2]["embedding"]
    assert np.linalg.norm(by_good[0]["embedding"]) == pytest.approx(1, abs=1e-5)


def test_a_second_run_writes_nothing(settings):
    """Where nothing is new there is no embedding, no commit and no run."""
    write_goods(settings, GOODS)
    run(settings)
    before = {table: Tables.at(settings).version(table) for table in Tables.at(settings).names()}
    again = run(settings)
    assert (again["rows"], again["embedded"], again["run"]) == (0, 0, 0)
    assert {
        table: Tables.at(settings).version(table) for table in Tables.at(settings).names()
    } == before


def test_a_limit_is_kept_and_gone_on_from(settings):
    """A job done in parts ends where one done at once does."""
    write_goods(settings, GOODS)
    calls = [run(settings, limit=20) for _ in range(4)]
    assert [call["rows"] for call in calls] == [20, 20, 10, 0]
    assert [call["left"] for call in calls] == [30, 10, 0, 0]
    assert sum(call["embedded"] for call in calls) == 25
    assert sorted(row["good"] for row in rows_of(settings, VECTORS)) == list(range(50))


def test_changes_deletes_and_returns(settings):
    """The latest event counts; a text that comes back gets its own vector again, unpaid."""
    write_goods(
        settings,
        [(1, "Red", "X", "c", "01"), (2, "Blue", "X", "c", "02"), (3, None, " ", "c", "03")],
    )
    first = run(settings)
    assert (first["embedded"], first["without_text"]) == (2, 1)
    # Late and out of order: good 2 is gone, good 1 is green.
    write_goods(
        settings,
        [(1, "Green", "X", "u", "05"), (1, "Old", "X", "u", "04"), (2, None, None, "d", "06")],
    )
    assert run(settings)["embedded"] == 1
    write_goods(settings, [(1, "Red", "X", "u", "07")])
    back = run(settings)
    assert (back["rows"], back["embedded"]) == (1, 0)
    rows = sorted(rows_of(settings, VECTORS), key=lambda row: row["_batch"])
    assert [(row["good"], row["text"]) for row in rows if row["good"] == 1] == [
        (1, "red, x"), (1, "green, x"), (1, "red, x"),
    ]  # fmt: skip
    assert (
        rows[-1]["embedding"] == next(row for row in rows if row["text"] == "red, x")["embedding"]
    )


KILLED = """
    import os, signal, sys
    from lakehouse.settings import Settings
    from platinum.enrichment import enrichment
    from platinum.inference import wordllama
    calls, place, after = [], sys.argv[2], int(sys.argv[3])
    def counted(method, kind):
        def call(self, *given):
            if kind == place and calls.count(kind) == after:
                os.kill(os.getpid(), signal.SIGKILL)
            calls.append(kind)
            if kind == "embed":
                print(len(given[0]), flush=True)
            return method(self, *given)
        return call
    wordllama.CpuEmbedder.embed = counted(wordllama.CpuEmbedder.embed, "embed")
    enrichment.Writer._commit = counted(enrichment.Writer._commit, "commit")
    settings = Settings(home=sys.argv[1], contracts=sys.argv[1] + "/contracts")
    enrichment.enrich(settings, "shop")
"""


@pytest.mark.parametrize(
    ("place", "after"), [("embed", 2), ("embed", 5), ("commit", 0), ("commit", 2)]
)
def test_killed_anywhere_it_goes_on_and_pays_no_text_twice(settings, place, after, monkeypatch):
    """SIGKILL before a call or before a commit: vectors received are kept, the rest is embedded."""
    write_goods(settings, GOODS)
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(settings.home), place, str(after)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    paid = [int(count) for count in killed.stdout.split()]
    embed = wordllama.CpuEmbedder.embed

    def counted(self, texts):
        paid.append(len(texts))
        return embed(self, texts)

    monkeypatch.setattr(wordllama.CpuEmbedder, "embed", counted)
    run(settings)
    assert sum(paid) == 25
    assert sorted(row["good"] for row in rows_of(settings, VECTORS)) == list(range(50))


def test_a_server_that_fails_first_is_called_again():
    """Outage, overload, garbage and a broken connection are retried; the key is sent and never shown."""
    failures = [503, 429, "garbage", "hang up"]
    with server.embeddings(256, failures) as (url, requests):
        backend = ServerEmbedder(url, "m", key="s3cret", pause=0)
        vectors = backend.embed(["a", "bb"])
    assert vectors.shape == (2, 256)
    assert len(requests) == len(failures) + 1
    assert {request["authorization"] for request in requests} == {"Bearer s3cret"}
    assert requests[-1]["body"]["input"] == ["a", "bb"]


@pytest.mark.parametrize(
    "failures", [[500] * 9, ["garbage"] * 9, ["short"] * 9, ["nan"] * 9, ["slow"] * 9]
)
def test_a_server_that_never_responds_is_given_up(failures):
    """After the last attempt the error names the server and the reason, never the key."""
    with server.embeddings(4, failures) as (url, requests):
        backend = ServerEmbedder(url, "m", key="s3cret", attempts=3, pause=0, timeout=0.2)
        with pytest.raises(LakehouseError, match="no usable response after 3 attempts") as error:
            backend.embed(["a"])
    assert len(requests) == 3
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("failure", [401, 400, "redirect"])
def test_a_refusal_is_final(failure):
    """A wrong key or model is not retried; a redirect would take the key elsewhere."""
    refused = pytest.raises(LakehouseError, match="status")
    with server.embeddings(4, [failure] * 3) as (url, requests), refused as error:
        ServerEmbedder(url, "m", key="s3cret", pause=0).embed(["a"])
    assert len(requests) == 1
    assert "s3cret" not in str(error.value)


def test_a_job_by_server_goes_on_after_an_outage(tmp_path):
    """Texts whose vectors came before the server went away are not sent again."""
    with server.embeddings(256, [None, None, 400]) as (url, requests):
        settings = shop(tmp_path, inference=url)
        write_goods(settings, GOODS)
        with pytest.raises(LakehouseError, match="status 400"):
            run(settings)
        sent = sum(len(request["body"]["input"]) for request in requests[:2])
        summary = run(settings)
    assert sent == 5
    assert summary["embedded"] == 25 - sent
    assert len(rows_of(settings, VECTORS)) == 50


def test_another_model_than_the_contract_names_is_refused(tmp_path):
    """Vectors of another length never reach the table."""
    with server.embeddings(7, []) as (url, _):
        settings = shop(tmp_path, inference=url)
        write_goods(settings, GOODS)
        with pytest.raises(LakehouseError, match="7 dimensions"):
            run(settings)
    assert rows_of(settings, VECTORS) == []


def test_what_is_missing_is_refused(tmp_path):
    """No source, an unknown backend, another model: refused before anything is embedded."""
    settings = shop(tmp_path, inference="magic")
    with pytest.raises(UsageError, match=r"silver.shop__sat_good does not exist yet"):
        run(settings)
    write_goods(settings, GOODS)
    with pytest.raises(UsageError, match="no such backend, there are cpu, cuda, http://, https://"):
        run(settings)
    with pytest.raises(UsageError, match=r"the wheel has .* not other 1"):
        embedder("cpu", EmbeddingModel("other", "1", 256))


def test_the_model_in_the_wheel_separates_related_from_unrelated_texts():
    """Related texts are closer than unrelated ones; an empty text is the zero vector."""
    milk, cream, motor, nothing = wordllama.CpuEmbedder(256).embed(
        ["whole milk", "dairy cream", "motor oil", ""]
    )
    cosine = lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b)  # noqa: E731
    assert cosine(milk, cream) > cosine(milk, motor)
    assert not nothing.any()
