"""Every kind of source that a contract may name has a reader, and a reader refuses a file by name."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bronze.discovery import LandedFile
from bronze.readers import READERS, by_format, reader_of, text_bytes
from contracts.model.capture_formats import FORMATS
from contracts.model.contract import Capture
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach
from tests import orders


def landed(path, format_="parquet"):
    """Return a file as discovery does, without a landing folder."""
    capture = Capture("files", "*", format_)
    size = path.stat().st_size if path.exists() else 0
    return LandedFile(capture, path.name, path, size, 0)


@pytest.fixture
def contract(settings):
    """The contract of orders."""
    orders.write_contract(settings.contracts)
    return load_domain(settings.contracts, "shop")["orders"]


def test_every_format_that_a_contract_may_name_has_a_reader():
    """The names that contracts are checked by are those of the registry."""
    assert set(FORMATS) == set(READERS)
    assert len(FORMATS) == len(set(FORMATS))


def test_files_are_grouped_in_the_order_of_the_registry():
    """Each file goes to the reader of its own format."""
    names = ["kafka-json", "parquet", "debezium-json", "parquet"]
    files = [landed(Path(f"{n}.x"), name) for n, name in enumerate(names)]
    assert {name: [f.path for f in group] for name, group in by_format(files).items()} == {
        "parquet": ["1.x", "3.x"], "debezium-json": ["2.x"], "kafka-json": ["0.x"]
    }  # fmt: skip
    assert [reader_of(file) for file in files] == [READERS[name] for name in names]


def test_a_byte_of_parquet_is_eight_of_text():
    """The size of a batch is compared as text, whatever its kind of source."""
    files = [
        LandedFile(Capture("files", "*", name), "x", Path("x"), 1000, 0)
        for name in ("parquet", "debezium-json", "kafka-json")
    ]
    assert [text_bytes([file]) for file in files] == [8000, 1000, 1000]
    assert text_bytes(files) == 10_000


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "is no whole Parquet file"),
        (lambda path: path.write_text("order_id,amount\n1,2\n"), "is no whole Parquet file"),
        (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
        (lambda path: path.unlink(), r"is empty \(0 bytes\)|is no whole Parquet file"),
        (
            lambda path: pq.write_table(pa.table({"order_id": [1]}), path),
            r"lacks the required column\(s\) customer_id",
        ),
    ],
)
def test_a_parquet_file_that_cannot_be_loaded_whole_is_refused(tmp_path, contract, spoil, reason):
    """Torn, foreign, empty, gone or without a required column: the breach names file and reason."""
    path = tmp_path / "part.parquet"
    pq.write_table(pa.table({"order_id": [1, 2], "customer_id": [7, 8]}), path)
    reader = READERS["parquet"]
    assert reader.check(contract, landed(path)).names == ["order_id", "customer_id"]
    assert reader.count(landed(path)) == 2
    spoil(path)
    with pytest.raises(ContractBreach, match=rf"orders: part\.parquet {reason}") as caught:
        reader.check(contract, landed(path))
    [violation] = caught.value.violations
    assert (violation.layer, violation.table) == ("bronze", "bronze.shop__orders")
    assert caught.value.exit_code == 3


def test_lines_of_a_change_log_are_counted_without_blank_ones(tmp_path, contract):
    """A change log is never refused as a whole: each line is read, or kept as text."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"op": "c"}\n\n  \n{torn\n\xff\n')
    reader = READERS["debezium-json"]
    assert reader.check(contract, landed(path)) is None
    assert reader.count(landed(path)) == 3
