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
        works, breaches = capture.prepare(self.settings, [self.contract], run)
        assert not breaches
        load = [file.path for work in works for file in work.load]
        if load and not killed:
            rows = pa.table({"path": load})
            self.tables.append(BRONZE, rows, idempotency_key=(CAPTURE, self.run))
        return load

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
    for what, detail in [*steps, ("run", False)]:
        if what == "land":
            path = source.land(f"file-{len(landed)}", detail)
            landed[str(path.relative_to(source.settings.landing / "shop"))] = detail
            continue
        load = source.carry(killed=detail)
        if not detail:
            loaded.update(landed[path] for path in load)
    assert loaded == Counter(dict.fromkeys(set(landed.values()), 1))
    assert source.pending() == []
