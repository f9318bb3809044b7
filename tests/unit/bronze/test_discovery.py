"""Each content that lands is planned until a batch with it is committed, and then never again."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from bronze import capture, discovery
from contracts.parsing.load import load_domain
from lakehouse.runs.bookmarks import CAPTURE
from lakehouse.runs.ledger import Run
from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName, Tables
from tests import orders

BRONZE = TableName.of("bronze", "shop", "orders")


class Source:
    """A landing folder and runs that end after their plan, or commit what they planned."""

    def __init__(self, folder):
        orders.write_contract(folder / "contracts")
        self.settings = Settings(
            home=folder / "home", contracts=folder / "contracts", dbt_project=folder / "dbt"
        )
        self.contract = load_domain(self.settings.contracts, "shop")["orders"]
        self.tables = Tables.at(self.settings)
        self.run = 0

    def land(self, name, content):
        """Land a file of one event; return its path."""
        line = orders.event("c", content, orders.order(content))
        return orders.land_events(self.settings, f"{name}.jsonl", [line])

    def carry(self, *, killed):
        """Plan a batch; unless killed, commit it. Return the paths that it loads."""
        self.run += 1
        run = Run(self.run, "shop", self.tables)
        batches, breaches = capture.prepare(self.settings, [self.contract], run)
        assert not breaches
        paths = [file.path for batch in batches for file in batch.files]
        if paths and not killed:
            rows = pa.table({"path": paths})
            self.tables.append(BRONZE, rows, idempotency_key=(CAPTURE, self.run))
        return paths

    def pending(self):
        """Return the paths that the next run would plan."""
        return [file.path for file in discovery.pending_files(self.settings, self.contract)]


@pytest.fixture
def source(tmp_path):
    """A source with nothing landed."""
    return Source(tmp_path)


@pytest.mark.parametrize("kills", [1, 2, 3])
def test_a_resent_file_is_loaded_once_after_runs_that_died_with_their_plan(source, kills):
    """Twins that wait when runs are killed before their commit do not become duplicates of each other."""
    source.land("day", 1)
    source.land("day-again", 1)
    for _ in range(kills):
        source.carry(killed=True)
        assert len(source.pending()) == 2
    assert len(source.carry(killed=False)) == 1
    assert source.pending() == []
    assert source.carry(killed=False) == []


def test_a_twin_that_lands_later_is_skipped_for_good(source):
    """A duplicate of loaded content is planned once, as one that is skipped, and is then done with."""
    source.land("day", 1)
    source.carry(killed=False)
    source.land("day-again", 1)
    assert source.carry(killed=True) == []
    assert source.pending() == []


def test_a_plan_loads_each_content_once_and_names_its_twin(source):
    """The first of two equal files is planned, the second a duplicate of it; another one is planned."""
    for name, content in (("a", 1), ("a-again", 1), ("b", 2)):
        source.land(name, content)
    log = discovery.FileLog(source.tables, "shop")
    files = discovery.pending_files(source.settings, source.contract, log)
    entries = discovery.plan(source.contract, files, log, -1, 1)
    assert [(entry.path.rpartition("/")[2], entry.status) for entry in entries] == [
        ("a-again.jsonl", "planned"), ("a.jsonl", "duplicate"), ("b.jsonl", "planned"),
    ]  # fmt: skip
    assert entries[1].reason == (
        "same content as orders/changes/a-again.jsonl, which is loaded already"
    )
    assert len({entry.sha256 for entry in entries}) == 2


def test_files_in_progress_and_hidden_ones_do_not_count(source):
    """A producer writes under another name first: neither `.name`, `_name` nor `name.tmp` is read."""
    capture_all = {"method": "debezium", "format": "debezium-json", "path": "orders/changes/*"}
    document = orders.document()
    document["customProperties"][0]["value"] = [capture_all]
    orders.write_contract(source.settings.contracts, document)
    contract = load_domain(source.settings.contracts, "shop")["orders"]
    path = source.land("a", 1)
    for name in (".b.jsonl", "_c.jsonl", "d.jsonl.tmp"):
        path.with_name(name).write_bytes(path.read_bytes())
    landed = discovery.landed_files(source.settings, contract)
    assert [file.path for file in landed] == ["orders/changes/a.jsonl"]


def test_a_file_that_changed_is_pending_again(source):
    """A file is known by name, size and time of change; the same bytes are then a duplicate."""
    path = source.land("day", 1)
    source.carry(killed=False)
    source.land("day", 2)
    assert len(source.carry(killed=False)) == 1
    path.touch()
    assert len(source.pending()) == 1
    assert source.carry(killed=False) == []
    assert source.pending() == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("land"), st.integers(1, 3)),
        st.tuples(st.just("run"), st.booleans()),
    ),
    max_size=14,
)


@tried(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_order_of_landings_and_kills_loads_each_content_once(tmp_path_factory, steps):
    """Whatever lands beside whatever dies, the last run leaves each content loaded exactly once."""
    source, landed, loaded = Source(tmp_path_factory.mktemp("source")), {}, Counter()
    for action, detail in [*steps, ("run", False)]:
        if action == "land":
            path = source.land(f"file-{len(landed)}", detail)
            landed[str(path.relative_to(source.settings.landing / "shop"))] = detail
            continue
        paths = source.carry(killed=detail)
        if not detail:
            loaded.update(landed[path] for path in paths)
    assert loaded == Counter(dict.fromkeys(set(landed.values()), 1))
    assert source.pending() == []
