"""Hash keys: a business key is normalised, delimited and hashed the same in every dataset and type."""

from __future__ import annotations

import hashlib

import pytest

from contracts.compilers import hash_keys
from contracts.model.contract import Column, Contract, Hub, Vault
from tests.unit.contracts.spark_sql import value


def contract(*columns, vault):
    """Return a contract with a vault."""
    return Contract("shop", "orders", "1.0.0", "active", "", "", columns, (), vault=vault)


ORDER = Column("order_id", "bigint", key=1)
CUSTOMER = Column("customer_id", "bigint")
AMOUNT = Column("amount", "decimal(10,2)")
LINKED = contract(
    ORDER, CUSTOMER, AMOUNT,
    vault=Vault(
        (Hub("order", ("order_id",), ("order_id",)), Hub("customer", ("customer_id",), ("customer_id",))),
        link="placed", satellite="placed",
    ),
)  # fmt: skip
DESCRIBED = contract(
    ORDER, AMOUNT, vault=Vault((Hub("order", ("order_id",), ("order_id",)),), satellite="orders")
)
KEYLESS = contract(CUSTOMER, AMOUNT, vault=Vault((), satellite="readings"))


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize(
    ("columns", "kinds"),
    [
        ("cast(1 as int) as x", ("tinyint", "int", "bigint")),
        ("cast(1.5 as decimal(3,1)) as x", ("decimal(3,1)", "decimal(10,2)")),
    ],
)
def test_a_hash_key_is_normalised_whatever_the_width_of_its_type(columns, kinds):
    """A wider type of the same value gives the same text, so a widened column keeps its hash keys."""
    assert len({value(hash_keys.normalised_text("x", kind), columns) for kind in kinds}) == 1


@pytest.mark.parametrize(
    ("columns", "kind", "text"),
    [
        ("'Ab ' as x", "string", "Ab "),
        ("cast(-7 as bigint) as x", "bigint", "-7"),
        ("cast(0 as decimal(10,2)) as x", "decimal(10,2)", "0.000000000"),
        ("cast(12.34 as decimal(10,2)) as x", "decimal(10,2)", "12.340000000"),
        ("true as x", "boolean", "true"),
        ("date'2024-02-29' as x", "date", "2024-02-29"),
        ("timestamp'2024-02-29 00:00:00' as x", "timestamp", "1709164800000000"),
    ],
)
def test_a_value_is_normalised_to_text_before_it_is_hashed(columns, kind, text):
    """Decimals have nine places and no exponent, instants are microseconds, texts stay as they are."""
    assert value(hash_keys.normalised_text("x", kind), columns) == text


def test_parts_are_delimited_by_their_length():
    """No two different rows share an input of the hash: each part has its length, a null is a dash."""
    kinds = [("x", "string"), ("y", "string")]
    assert value(hash_keys.hash_columns(kinds), "'ab' as x, 'c' as y") == sha256("2:ab1:c")
    assert value(hash_keys.hash_columns(kinds), "'a' as x, 'bc' as y") == sha256("1:a2:bc")
    null = "cast(null as string) as x, '-' as y"
    assert value(hash_keys.hash_columns(kinds), null) == sha256("-1:-")
    assert value(hash_keys.hash_columns([])) == sha256("")


def test_a_null_business_key_gets_the_ghost_key():
    """An unknown member points to the ghost row of its hub: 32 zero bytes."""
    keys = hash_keys.hub_keys(LINKED)
    assert list(keys) == ["order_hk", "customer_hk"]
    columns = "cast(5 as bigint) as order_id, cast(null as bigint) as customer_id"
    assert value(keys["order_hk"], columns) == sha256("1:5")
    assert value(keys["customer_hk"], columns) == bytes(32) == value(hash_keys.GHOST)


def test_a_row_is_identified_by_its_primary_key_or_by_all_its_content():
    """A link hashes the primary key; a hub's own dataset needs no second key; without a key all counts."""
    columns = "cast(5 as bigint) as order_id, cast(7 as bigint) as customer_id, cast(1 as decimal(10,2)) as amount"
    assert value(hash_keys.parent_key(LINKED)["placed_hk"], columns) == sha256("1:5")
    assert hash_keys.parent_key(DESCRIBED) == {}
    all_content = sha256("1:711:1.000000000")
    assert value(hash_keys.parent_key(KEYLESS)["readings_hk"], columns) == all_content


def test_a_key_change_hashes_the_old_key_under_its_other_names():
    """The key before a change is read from other columns and hashes like the key itself."""
    for of, key in ((LINKED, "placed_hk"), (DESCRIBED, "order_hk")):
        old = hash_keys.row_key(of, {"order_id": "_old_order_id"})
        before = value(old, "cast(5 as bigint) as _old_order_id")
        keys = hash_keys.parent_key(of) | hash_keys.hub_keys(of)
        assert before == value(keys[key], "cast(5 as bigint) as order_id")


def test_the_hashdiff_covers_all_columns_but_the_key():
    """Two events of equal content have one hashdiff, whatever their key."""
    diff = hash_keys.hashdiff(DESCRIBED)
    same = [
        value(diff, f"cast({key} as bigint) as order_id, cast(1 as decimal(10,2)) as amount")
        for key in (1, 2)
    ]
    other = value(diff, "cast(1 as bigint) as order_id, cast(2 as decimal(10,2)) as amount")
    assert same == [sha256("11:1.000000000")] * 2
    assert other != same[0]
