"""Files are written whole or not at all."""

from __future__ import annotations

import os

import pytest

from lakehouse.storage.atomic_file import atomic_file, write_text


def test_a_file_appears_when_it_is_complete(tmp_path):
    """Until the end of the block readers have the old content; nothing is left beside it."""
    path = tmp_path / "new folder" / "page.html"
    write_text(path, "old")
    with atomic_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.parent == path.parent
        assert partial.name.startswith(".")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path):
    """The error is raised, the half of the file that was written is removed."""
    path = tmp_path / "page.html"
    write_text(path, "old")

    def write_half():
        with atomic_file(path) as partial:
            partial.write_text("ne")
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_equal_file_may_be_kept_with_its_time(tmp_path):
    """With `keep_equal` the same content leaves the file alone; other content replaces it."""
    path = tmp_path / "day.jsonl"
    write_text(path, "same")
    os.utime(path, (1, 1))
    with atomic_file(path, keep_equal=True) as partial:
        partial.write_text("same")
    assert path.stat().st_mtime == 1
    with atomic_file(path, keep_equal=True) as partial:
        partial.write_text("more")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("more", [path])
