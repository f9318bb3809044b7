"""A sealed value opens with its key, at its place, unchanged; and in no other case."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.quality.sealing import Seal, is_sealed, key_file
from lakehouse.settings import Settings

PLACE = "shop.customers.email"


def test_a_value_comes_back_and_is_never_sealed_alike():
    """Two seals of one value differ, so nobody sees that they are equal; both open."""
    seal = Seal(bytes(32))
    first, second = (seal.seal("äöü ann@example.org", PLACE) for _ in range(2))
    assert first != second
    assert is_sealed(first)
    assert "ann" not in first
    assert {seal.unseal(first, PLACE), seal.unseal(second, PLACE)} == {"äöü ann@example.org"}
    assert seal.unseal("never sealed", PLACE) == "never sealed"


def test_what_was_changed_or_moved_does_not_open():
    """One changed letter, or another column, is refused; the error holds no value."""
    seal = Seal(bytes(32))
    text = seal.seal("ann", PLACE)
    head, body = text[:-12], text[-12:]
    changed = head + ("A" if body[0] != "A" else "B") + body[1:]
    for value, place in ((changed, PLACE), (text, "shop.customers.name")):
        with pytest.raises(LakehouseError, match="changed, or moved"):
            seal.unseal(value, place)


def test_another_key_is_named():
    """An error for a wrong key names the key that was in use."""
    seal, other = Seal(bytes(32)), Seal(b"x" * 32)
    with pytest.raises(LakehouseError, match=seal.name):
        other.unseal(seal.seal("ann", PLACE), PLACE)


def test_the_key_comes_from_the_environment(tmp_path, monkeypatch):
    """LAKEHOUSE_SEAL_KEY holds it; settings do not print it; something else is refused."""
    monkeypatch.setenv("LAKEHOUSE_SEAL_KEY", base64.b64encode(b"k" * 32).decode())
    settings = Settings(home=tmp_path)
    assert Seal.at(settings) == Seal(b"k" * 32)
    assert "a2tra2" not in repr(settings) + repr(Seal.at(settings))
    assert not key_file(settings).exists()
    monkeypatch.setenv("LAKEHOUSE_SEAL_KEY", "short")
    with pytest.raises(UsageError, match="LAKEHOUSE_SEAL_KEY is no key"):
        Seal.at(Settings(home=tmp_path))


def test_without_one_a_file_is_made_once(tmp_path):
    """Many at once get one key; only its owner may read it, or it is refused."""
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: Seal.at(settings), range(32)))) == 1
    path = key_file(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    path.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        Seal.at(settings)
