"""A stream's checkpoint: damage is noticed before Spark stops at it."""

from __future__ import annotations

import pytest

from platinum.scoring.checkpoints import damaged, set_aside


@pytest.mark.parametrize("file", ["metadata", "offsets/0", "commits/0", "offsets/1"])
@pytest.mark.parametrize(
    "left", [b"", b'v1\n{"batchW', b"\x00" * 64], ids=["empty", "cut", "zeros"]
)
def test_a_damaged_file_is_named(tmp_path, file, left):
    """A file that lost its end, or all, is named; complete ones are not, nor is a missing folder."""
    checkpoint = tmp_path / "checkpoint"
    assert damaged(checkpoint) == ""
    for folder in ("offsets", "commits"):
        (checkpoint / folder).mkdir(parents=True)
        for number in ("0", "1"):
            (checkpoint / folder / number).write_text('v1\n{"batchWatermarkMs":0}\n-')
    (checkpoint / "metadata").write_text('{"id":"x"}')
    assert damaged(checkpoint) == ""
    (checkpoint / file).write_bytes(left)
    assert damaged(checkpoint) == file


def test_a_checkpoint_is_set_aside_under_a_name_of_its_own(tmp_path):
    """Each damaged checkpoint is kept: none is overwritten by the next one."""
    for number in (1, 2):
        checkpoint = tmp_path / "checkpoint"
        checkpoint.mkdir()
        (checkpoint / "metadata").write_text(str(number))
        aside = set_aside(checkpoint)
        assert aside == tmp_path / f"checkpoint.damaged-{number}"
        assert (aside / "metadata").read_text() == str(number)
        assert not checkpoint.exists()
