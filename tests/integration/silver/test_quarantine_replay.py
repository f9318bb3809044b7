"""A replay after a fix gives the tables that the fixed contract would have given from the start."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from lakehouse.errors import DomainLocked, UsageError
from lakehouse.quality.sealing import PREFIX
from lakehouse.runs.ledger import Ledger
from lakehouse.runs.lock import lock_domain
from lakehouse.settings import Settings
from lakehouse.storage.tables import TableName, Tables
from operations.quarantine import rows_of
from operations.quarantine_replay import replay
from operations.rollback import roll_back
from pipeline.run import run_layers
from silver import quarantine_replay, small_batch
from tests import orders
from tests.integration.silver import test_keyless

pytestmark = pytest.mark.spark

SATELLITE = TableName("silver", "shop__sat_placed")
QUARANTINE = TableName("silver", "shop__orders_quarantine")
VAULT = ("hub_order", "hub_customer", "lnk_placed", "sat_placed")
LAYERS = ("bronze", "silver")


class Killed(Exception):
    """The process ends here."""


def contract(minimum=0, *, version="1.0.0", personal=False, statuses=("open", "paid")):
    """Return the contract of orders with the least amount, and the states, that it allows."""
    document = orders.document(version=version)
    _, customer, amount, status = document["schema"][0]["properties"]
    amount["logicalTypeOptions"] = {"minimum": minimum}
    status["quality"][0]["arguments"]["validValues"] = list(statuses)
    if personal:
        for column in (customer, amount, status):
            column["classification"] = "personal"
    return document


FIXED = {"minimum": -100, "version": "1.1.0", "statuses": ("open", "paid", "lost")}


def events(seed, count=30):
    """Return random events of few keys: changes, deletes, duplicates, bad amounts and states."""
    chance = random.Random(seed)
    log = []
    for place in range(1, count + 1):
        number = chance.randrange(1, 8)
        row = orders.order(
            number,
            customer=chance.choice([1, 2, None] if place % 7 == 0 else [1, 2, 3]),
            amount=chance.choice(["5.00", "-1.00", "-7.50", "8.25", "-500"]),
            status=chance.choice(["open", "paid", "lost"]),
        )
        if chance.random() < 0.15:
            log.append(orders.event("d", 1, None, {"order_id": number}, transaction=place))
        else:
            log.append(orders.event("u", 1, row, transaction=place))
        if chance.random() < 0.15:
            log.append(log[-1])
    return log


def vault(tables):
    """Return the rows of every vault table, less the run that wrote each."""
    return {
        name: sorted(
            repr(sorted((key, value) for key, value in row.items() if key != "_batch"))
            for row in tables.rows(TableName("silver", f"shop__{name}"))
        )
        for name in VAULT
    }


def home(folder, document):
    """Return settings of an empty home with a contract."""
    orders.write_contract(folder / "contracts", document)
    return Settings(
        home=folder / "home", contracts=folder / "contracts", dbt_project=folder / "dbt"
    )


def loaded(settings, landed):
    """Land each part, run it, and return the tables."""
    for number, part in enumerate(landed):
        orders.land_events(settings, f"{number:03}.jsonl", part)
        run_layers(settings, "shop", LAYERS)
    return Tables.at(settings)


def statuses(tables):
    """Return how many quarantined rows there are of each status."""
    return dict(Counter(row["status"] for row in tables.rows(QUARANTINE)))


def accounts(tables):
    """Return the counts of the gate in the ledger, summed over all runs."""
    steps = [step for step in Ledger(tables).steps("shop") if step["table"] == str(SATELLITE)]
    return {
        name: sum(step[name] for step in steps)
        for name in ("input", "valid", "quarantined", "superseded")
    }


@pytest.mark.parametrize(("seed", "personal"), [(0, False), (1, True)])
def test_replayed_is_as_if_it_had_come_in_order(catalog, tmp_path, seed, personal):
    """Bad rows, a fixed contract, a replay: the vault of a run that had it from the start."""
    log = events(seed)
    random.Random(seed).shuffle(log)
    parts = [log[:12], log[12:]]
    straight = loaded(home(tmp_path / "straight", contract(**FIXED, personal=personal)), [log])

    late = home(tmp_path / "late", contract(personal=personal))
    tables = loaded(late, parts)
    assert vault(tables) != vault(straight)
    orders.write_contract(late.contracts, contract(**FIXED, personal=personal))
    done = replay(late, "shop")

    assert vault(tables) == vault(straight)
    assert done["datasets"][0]["missing"] == 0
    ledger, quarantined = accounts(tables), statuses(tables)
    assert ledger["input"] == len(log)
    assert len(log) == ledger["valid"] + ledger["quarantined"] + ledger["superseded"]
    assert ledger["valid"] == len(tables.rows(SATELLITE))
    assert ledger["quarantined"] == quarantined.get("open", 0)
    assert quarantined["replayed"] == done["datasets"][0]["replayed"] > 0


def test_replaying_twice_changes_nothing(catalog, tmp_path):
    """The second one writes no version and is no run; rows that fail have today's reasons."""
    settings = home(tmp_path, contract())
    bad = orders.event("c", 1, orders.order(1, amount="-1", status="lost"), transaction=1)
    good = orders.event("c", 1, orders.order(2, amount="-2"), transaction=2)
    tables = loaded(settings, [[bad, good]])
    assert replay(settings, "shop")["run"] == 0, "nothing was fixed"
    orders.write_contract(settings.contracts, contract(-100, version="1.1.0"))

    assert replay(settings, "shop", dry_run=True)["datasets"][0]["replayed"] == 1
    assert statuses(tables) == {"open": 2}
    done = replay(settings, "shop")
    before = [tables.version(name) for name in tables.names()]
    assert replay(settings, "shop")["run"] == 0
    assert [tables.version(name) for name in tables.names()] == before

    rows = {row["status"]: row for row in tables.rows(QUARANTINE)}
    assert [f["column"] for f in rows["open"]["failures"]] == ["status"]
    assert rows["open"]["contract_version"] == "1.1.0"
    assert rows["open"]["settled_batch"] is None
    assert rows["replayed"]["settled_batch"] == done["run"]
    assert [f["column"] for f in rows["replayed"]["failures"]] == ["amount"]


def test_killed_between_its_commits_it_is_finished_by_the_next(catalog, tmp_path, monkeypatch):
    """Killed before the events, then between them and the quarantine: the next gives the same."""
    settings = home(tmp_path, contract())
    log = [
        orders.event("c", n, orders.order(n, amount=str(2 - n)), transaction=n) for n in range(1, 5)
    ]
    tables = loaded(settings, [log])
    orders.write_contract(settings.contracts, contract(-100))
    append = small_batch.append_arrow

    def dies_at_events(*arguments, **options):
        if arguments[1] == SATELLITE:
            raise Killed
        return append(*arguments, **options)

    def dies(*_):
        raise Killed

    for module, name, dying, stored in (
        (small_batch, "append_arrow", dies_at_events, 2),
        (quarantine_replay, "record_outcomes", dies, 4),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, dying)
            with pytest.raises(Killed):
                replay(settings, "shop")
        assert statuses(tables) == {"open": 2}
        assert len(tables.rows(SATELLITE)) == stored
    replay(settings, "shop")

    assert statuses(tables) == {"replayed": 2}
    assert sorted(row["order_id"] for row in tables.rows(SATELLITE)) == [1, 2, 3, 4]
    straight = loaded(home(tmp_path / "straight", contract(-100)), [log])
    assert vault(tables) == vault(straight)


def test_a_replay_can_be_narrowed_and_rolled_back(catalog, tmp_path):
    """--where takes a condition on the quarantine; a rollback opens the rows again."""
    settings = home(tmp_path, contract())
    log = [
        orders.event("c", n, orders.order(n, amount="-1"), transaction=n, origin="real")
        for n in (1, 2)
    ]
    tables = loaded(settings, [[log[0]], [log[1]]])
    orders.write_contract(settings.contracts, contract(-100))
    with pytest.raises(UsageError, match="no condition on"):
        replay(settings, "shop", where="nonsense = 1")
    with lock_domain(settings.home, "shop", "run"), pytest.raises(DomainLocked, match="run"):
        replay(settings, "shop")

    done = replay(settings, "shop", where="_source = '000.jsonl'")
    assert statuses(tables) == {"open": 1, "replayed": 1}
    assert [row["order_id"] for row in tables.rows(SATELLITE)] == [1]
    roll_back(settings, done["run"])
    assert statuses(tables) == {"open": 2}
    assert tables.rows(SATELLITE) == []
    replay(settings, "shop")
    assert sorted(row["order_id"] for row in tables.rows(SATELLITE)) == [1, 2]


def test_personal_values_are_sealed_in_quarantine(catalog, tmp_path):
    """No file of the quarantine has the value; who has the key sees it."""
    settings = home(tmp_path, contract(personal=True))
    bad = orders.event("c", 1, orders.order(1, status="Secretive"), transaction=1)
    tables = loaded(settings, [[bad, '{"torn": "Secretive']])
    quarantined = tables.rows(QUARANTINE)
    assert len(quarantined) == 2
    assert "secretive" not in repr(quarantined).casefold()
    assert all(
        PREFIX in dict(row["row"]).get("status", dict(row["row"]).get("_line", ""))
        for row in quarantined
    )
    shown = repr(rows_of(settings, "shop", "orders"))
    assert "secretive" not in shown.casefold()
    assert PREFIX not in shown
    rows = rows_of(settings, "shop", "orders", unseal=True)["rows"]
    values = {row["row"].get("status") or row["row"]["_line"] for row in rows}
    assert values == {"Secretive", '{"torn": "Secretive'}


def test_rows_without_a_key_come_back_with_what_they_replaced(catalog, tmp_path):
    """An update of keyless rows is a delete and a create: both are there after the replay, once."""

    def scans(minimum):
        document = test_keyless.contract()
        pieces = document["schema"][0]["properties"][1]
        pieces["logicalTypeOptions"] = {"minimum": minimum}
        return document

    scan, event = test_keyless.scan, test_keyless.event
    log = [
        event("c", 1, scan("milk")),
        event("c", 2, scan("bread", -2)),
        event("u", 3, scan("milk", -1), scan("milk")),
        event("d", 4, None, scan("bread", -2)),
    ]

    def stored(settings):
        scans = Tables.at(settings).rows(TableName("silver", "shop__sat_scan"))
        return sorted(
            repr([row[c] for c in ("item", "pieces", "_op", "_sequence")]) for row in scans
        )

    straight = home(tmp_path / "straight", scans(-9))
    loaded(straight, [log])
    late = home(tmp_path / "late", scans(1))
    loaded(late, [log[:2], log[2:]])
    assert stored(late) != stored(straight)
    orders.write_contract(late.contracts, scans(-9))
    replay(late, "shop")
    assert stored(late) == stored(straight)
    assert replay(late, "shop")["run"] == 0
