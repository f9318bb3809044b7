"""A run can be rolled back: every table is as before it, and the next run repeats it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from lakehouse.errors import UsageError
from lakehouse.runs.bookmarks import consumed_batch
from lakehouse.runs.ledger import Ledger
from lakehouse.storage import restore
from lakehouse.storage.publications import published
from operations import rollback
from operations.rollback_plan import plan
from pipeline.run import run_layers
from tests.small_shop import BRONZE, FACT, MART, QUARANTINE, SATELLITE, filled, rows

pytestmark = pytest.mark.spark


def as_published(shop):
    """The rows that readers of gold see."""
    pins = published(shop.tables, "shop")
    return {name: rows(shop.tables, name, version) for name, version in pins.items()}


def test_a_run_is_rolled_back_and_repeated(shop_after):
    """Every table and the publication are as before; the next run leaves what the first left."""
    shop = shop_after(1)
    before = shop.contents()
    second = shop.run(2)
    after = shop.contents()
    assert all(before[name] != after[name] for name in (BRONZE, SATELLITE, QUARANTINE, FACT, MART))

    done = rollback.roll_back(shop.settings, second.run)

    assert shop.contents() == before
    assert as_published(shop) == {name: before[name] for name in (FACT, MART)}
    assert done["files_to_reload"] == ["orders/changes/002.jsonl"]
    statuses = {row["run"]: row["status"] for row in Ledger(shop.tables).runs("shop")}
    assert statuses == {1: "done", 2: "rolled back", 3: "done"}
    again = shop.run()
    assert again.run == 4
    assert shop.contents() == after
    assert as_published(shop) == {name: after[name] for name in (FACT, MART)}
    assert shop.run().nothing_new


def test_the_first_run_is_rolled_back_to_nothing(shop_after):
    """Tables that did not exist are empty, nothing is published, and the next run starts over."""
    one_day = filled(shop_after(1, "one day").contents())
    shop = shop_after(2)

    rollback.roll_back(shop.settings, 1)

    assert filled(shop.contents()) == {}
    assert published(shop.tables, "shop") == {}
    statuses = [row["status"] for row in Ledger(shop.tables).runs("shop")]
    assert statuses == ["rolled back", "rolled back", "done"]
    (shop.settings.landing / "shop" / "orders" / "changes" / "002.jsonl").unlink()
    shop.run()
    assert filled(shop.contents()) == one_day


class Killed(Exception):
    """The process ends here."""


@contextmanager
def killed_after(monkeypatch, count):
    """Let the block's rollback die after so many tables are restored."""
    real, done = restore.restore, []

    def dying(*arguments):
        if len(done) == count:
            raise Killed
        done.append(arguments)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(restore, "restore", dying)
        with pytest.raises(Killed):
            yield


def test_a_rollback_that_is_killed_is_finished_by_another(shop_after, monkeypatch):
    """Killed after any table: started again it finishes; a run instead of it loses nothing."""
    before = shop_after(1, "one day").contents()
    shop = shop_after(2)
    after = shop.contents()
    tables = len(plan(shop.settings, 2).targets)

    for count in range(tables):
        with killed_after(monkeypatch, count):
            rollback.roll_back(shop.settings, 2)
        assert as_published(shop) == {name: before[name] for name in (FACT, MART)}
    rollback.roll_back(shop.settings, 2)
    assert shop.contents() == before

    again = shop.run().run
    redone = shop.tables.version(BRONZE)
    for count in (1, 3, 5):
        with killed_after(monkeypatch, count):
            rollback.roll_back(shop.settings, again)
        assert shop.tables.version(BRONZE) == redone
        shop.run()
        assert shop.contents() == after
        assert as_published(shop) == {name: after[name] for name in (FACT, MART)}


def test_what_cannot_be_rolled_back_is_refused(shop_after):
    """No such run, one that was rolled back, a rollback itself: wrong usage, with a reason."""
    shop = shop_after(1)
    with pytest.raises(UsageError, match="no run 7; the last ones are: 1"):
        plan(shop.settings, 7)
    rollback.roll_back(shop.settings, 1)
    with pytest.raises(UsageError, match="run 1 was rolled back already, by run 2"):
        plan(shop.settings, 1)
    with pytest.raises(UsageError, match=r"run 2 \(rollback\) is not rolled back"):
        plan(shop.settings, 2)


def test_a_run_of_one_layer_is_rolled_back_without_its_upstream(shop_after):
    """Bronze, which an earlier run wrote, stays; silver reads it again: its bookmark was restored."""
    shop = shop_after(0)
    shop.land(1)
    run_layers(shop.settings, "shop", ("bronze",))
    before = shop.contents()
    silver = run_layers(shop.settings, "shop", ("silver", "gold")).run
    after = shop.contents()

    done = rollback.roll_back(shop.settings, silver)

    assert done["files_to_reload"] == []
    assert filled(shop.contents()) == filled(before)
    assert consumed_batch(shop.tables, SATELLITE, BRONZE) == -1
    assert {step.layer for step in shop.run().steps} == {"silver", "gold"}
    assert filled(shop.contents()) == filled(after)
