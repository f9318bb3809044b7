"""A load that dies between its commits is done again, and nothing is there twice."""

from __future__ import annotations

import pytest

from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from silver import large_batch, small_batch
from tests import orders

pytestmark = pytest.mark.spark

SATELLITE = TableName("silver", "shop__sat_placed")
QUARANTINE = TableName("silver", "shop__orders_quarantine")


class Killed(Exception):
    """The process ends here."""


def dying_at(name, write):
    """Return a writer that dies when it comes to a table."""

    def writes(tables, table, *arguments, **options):
        if table == name:
            raise Killed
        return write(tables, table, *arguments, **options)

    return writes


@pytest.mark.parametrize(
    ("module", "writer", "days"),
    [(small_batch, "append_arrow", [[1], [2, 3]]), (large_batch, "append", [[1, 2]])],
)
def test_rejected_rows_are_kept_once(catalog, settings, monkeypatch, module, writer, days):
    """Killed after quarantine and before the events: alone or with newer rows, each is there once.

    `days` are days on which a run dies, up to one that finishes.
    """
    orders.write_contract(settings.contracts)
    if module is large_batch:
        monkeypatch.setattr("silver.load.small_batch.ROWS", 0)
    tables = Tables.at(settings)

    def land_and_die(day):
        events = [
            orders.event("c", 1, orders.order(day), transaction=day),
            orders.event("c", 2, orders.order(day + 100, amount="-1"), transaction=day),
        ]
        orders.land_events(settings, f"{day}.jsonl", events)
        with monkeypatch.context() as patch:
            patch.setattr(module, writer, dying_at(SATELLITE, getattr(module, writer)))
            with pytest.raises(Killed):
                run_layers(settings, "shop", ("bronze", "silver"))

    landed = 0
    for dying in days:
        for day in dying:
            land_and_die(day)
        landed += len(dying)
        run_layers(settings, "shop", ("bronze", "silver"))
        assert [len(tables.rows(name)) for name in (SATELLITE, QUARANTINE)] == [landed, landed]
        assert len({row["_sequence"] for row in tables.rows(QUARANTINE)}) == landed
