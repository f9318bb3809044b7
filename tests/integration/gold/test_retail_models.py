"""The retail models over a vault that saw late events, corrections, deletes and A -> B -> A."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from gold import build, publish
from gold.dbt.project import Project
from lakehouse.layers import STORED
from lakehouse.runs.ledger import Ledger
from lakehouse.settings import PROJECT, Settings
from lakehouse.storage.tables import TableName, Tables
from tests.integration.gold.vault import GHOST, Vault, event, hashed

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SNAPSHOT = datetime(2017, 12, 1, 12, tzinfo=UTC)
ORPHAN, LATE_MASTER = 98, 99


def line(op, sequence, basket, product, day, **changed):
    """An event of a basket line; household and store follow from the basket."""
    sold = datetime(2017, 12, 1, 15, tzinfo=UTC) + timedelta(days=day)
    payload = {
        "basket_id": basket,
        "product_id": product,
        "household_id": 1 + basket % 3,
        "store_id": 1 + basket % 2,
        "quantity": product % 3,
        "sales_value": Decimal(product),
        "retail_disc": Decimal("0.50"),
        "coupon_disc": Decimal(0),
        "coupon_match_disc": Decimal(0),
        "week": 49,
        "transaction_timestamp": sold,
    }
    return event(op, sequence, max(SNAPSHOT, sold), **payload | changed)


def product(op, sequence, number, at=SNAPSHOT, **changed):
    """An event of a product."""
    payload = {"product_id": number, "manufacturer_id": 1, "department": "A", "brand": "National"}
    return event(op, sequence, at, **payload | changed)


def redemption(op, sequence, number, household, day):
    """An event of a redemption of campaign 1."""
    return event(
        op,
        sequence,
        SNAPSHOT,
        redemption_id=number,
        household_id=household,
        coupon_upc=500,
        campaign_id=1,
        redemption_date=date(2017, 12, day),
    )


def snapshot(vault):
    """The first batch: 12 baskets of 12 days, four products, one without a master row."""
    vault.load("products", 1, [product("r", 100 + number, number) for number in (1, 2, 3)])
    baskets = [
        line("r", 200 + basket * 10 + item, basket, item, day=basket)
        for basket in range(12)
        for item in (1, 2, ORPHAN, LATE_MASTER)
    ]
    vault.load("transactions", 1, baskets)
    vault.load("demographics", 1, [event("r", 400, SNAPSHOT, household_id=1, age="45-54")])
    spans = ((1, 5, 20), (2, 10, 31))
    vault.load(
        "campaign_descriptions",
        1,
        [
            event(
                "r",
                410 + number,
                SNAPSHOT,
                campaign_id=number,
                campaign_type="Type A",
                start_date=date(2017, 12, start),
                end_date=date(2017, 12, end),
            )
            for number, start, end in spans
        ],
    )
    pairs = [(campaign, household) for campaign in (1, 2) for household in (1, 2, 3)]
    vault.load(
        "campaigns",
        1,
        [
            event("r", 420 + place, SNAPSHOT, campaign_id=campaign, household_id=household)
            for place, (campaign, household) in enumerate(pairs)
        ],
    )
    vault.load(
        "coupons",
        1,
        [
            event(
                "r", 430 + item, SNAPSHOT, coupon_upc=500, product_id=item, campaign_id=1 + item % 2
            )
            for item in (1, 2)
        ],
    )
    vault.load(
        "coupon_redemptions", 1, [redemption("r", 440, 1, 1, 6), redemption("r", 441, 2, 2, 8)]
    )


def changes(vault, batch):
    """The second batch: everything that goes wrong in a change log, at once."""
    later = SNAPSHOT + timedelta(days=12)
    vault.load(
        "transactions",
        batch,
        [
            *(line("c", 1000 + item, 12, item, day=12) for item in (1, 2, ORPHAN)),
            line("u", 1010, 3, 1, day=3, sales_value=Decimal(9)),  # corrected
            line("u", 1011, 4, 1, day=10, household_id=3),  # booked again: another day, household
            event("d", 1012, later, basket_id=5, product_id=2),  # its key only
            event("d", 1013, later, basket_id=0, product_id=1),  # the household's first line
            line("c", 90, 20, 2, day=2),  # late: ordered before the snapshot
            line("u", 95, 6, 1, day=6, sales_value=Decimal(77)),  # late, and overtaken
        ],
    )
    vault.load(
        "products",
        batch,
        [
            product("u", 1100, 1, later, department="B"),
            product("u", 1101, 1, later + timedelta(hours=1)),  # A -> B -> A
            product("c", 50, 2, SNAPSHOT - timedelta(days=20), department="OLD"),
            product("d", 1102, 3, later),
            product("c", 1103, LATE_MASTER, later, department="LATE"),
        ],
    )
    vault.load("demographics", batch, [event("u", 1200, later, household_id=1, age="55-64")])
    vault.load(
        "coupon_redemptions",
        batch,
        [redemption("d", 1300, 1, 1, 6), redemption("c", 1301, 3, 3, 11)],
    )
    vault.load("campaigns", batch, [event("d", 1400, later, campaign_id=2, household_id=2)])


class Home:
    """A home with the retail domain."""

    def __init__(self, spark, folder):
        self.spark = spark
        self.settings = Settings(
            home=folder, contracts=PROJECT / "contracts", dbt_project=PROJECT / "dbt_project"
        )
        self.tables = Tables.at(self.settings)

    def build(self, **options):
        """Build gold in a run of its own."""
        with Ledger(self.tables).run("retail") as run:
            return build.build(self.spark, self.settings, "retail", run, **options)

    def rows(self, model):
        """The rows of a model without `_batch`, read by delta-rs."""
        table = self.tables.open(TableName.of("gold", "retail", model))
        rows = table.to_pyarrow_table().to_pylist()
        return [{key: value for key, value in row.items() if key != "_batch"} for row in rows]


@pytest.fixture(scope="module")
def home(spark, tmp_path_factory):
    """A home after the snapshot and one incremental build."""
    _forget(spark)
    made = Home(spark, tmp_path_factory.mktemp("retail"))
    vault = Vault(made.tables)
    vault.start()
    snapshot(vault)
    made.build()
    changes(vault, 2)
    made.build()
    yield made
    _forget(spark)


def _forget(spark):
    for layer in {database.name for database in spark.catalog.listDatabases()} & set(STORED):
        spark.sql(f"drop database {layer} cascade")


def test_products_without_a_master_row_point_to_the_unknown_member(home):
    """A line keeps its business key; the member it points to is in the dimension, once."""
    orphans = [row for row in home.rows("fct_basket_line") if row["product_id"] == ORPHAN]
    unknown = [row for row in home.rows("dim_product") if row["product_hk"] == GHOST]

    assert len(orphans) == 13
    assert {row["product_hk"] for row in orphans} == {GHOST}
    assert [row["department"] for row in unknown] == ["(unknown)"]


def test_a_master_row_that_comes_late_is_pointed_to(home):
    """Lines that were sold before the product was known find it as soon as it is."""
    late = [row for row in home.rows("fct_basket_line") if row["product_id"] == LATE_MASTER]

    assert {row["product_hk"] for row in late} == {hashed(LATE_MASTER)}
    assert len(late) == 12


def test_corrections_and_deletes_reach_the_fact(home):
    """A moved line is where it was moved to only, a deleted one nowhere, a late one in its place."""
    lines = {(row["basket_id"], row["product_id"]): row for row in home.rows("fct_basket_line")}

    assert len(lines) == len(home.rows("fct_basket_line"))
    assert lines[3, 1]["sales_value"] == 9
    assert (lines[4, 1]["date_key"], lines[4, 1]["household_id"]) == (date(2017, 12, 11), 3)
    assert (5, 2) not in lines
    assert (20, 2) in lines
    assert lines[6, 1]["sales_value"] == 1


def test_history_has_a_row_a_change_and_one_current_row_a_key(home):
    """A -> B -> A is three versions; the first reaches back; a delisted product stays readable."""
    versions = sorted(
        (row for row in home.rows("dim_product") if row["product_id"] == 1),
        key=lambda row: row["valid_from"],
    )

    assert [row["department"] for row in versions] == ["A", "B", "A"]
    assert [row["is_current"] for row in versions] == [False, False, True]
    assert versions[0]["valid_from"].year == 1900
    gone = [row for row in home.rows("dim_product") if row["product_id"] == 3 and row["is_current"]]
    assert [(row["is_delisted"], row["department"]) for row in gone] == [(True, "A")]


def test_incremental_builds_leave_what_a_full_build_leaves(home):
    """Every table is the same, row by row, whether it was brought up to date or rebuilt."""
    names = sorted(publish.published(home.tables, "retail"))
    models = [name.table.partition("__")[2] for name in names]
    models.remove("int_line_change")  # a log: it begins where its followers were built
    before = {model: _sorted(home.rows(model)) for model in models}

    home.build(full_refresh=True)

    assert all(before.values())
    for model in models:
        assert _sorted(home.rows(model)) == before[model], model


def test_unit_tests_of_the_models_pass(home):
    """The unit tests that stand beside the models hold on our session."""
    result = Project(home.settings, "retail").invoke(
        ["test", "--select", "path:models/retail,test_type:unit"]
    )

    assert result.exception is None
    assert len(result.result.results) >= 3
    assert {str(item.status): item.message for item in result.result.results}.keys() == {"pass"}, [
        (item.node.name, item.message) for item in result.result.results
    ]


def _sorted(rows):
    return sorted(rows, key=lambda row: repr(sorted(row.items())))
