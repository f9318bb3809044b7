"""Parquet files in which each row is one event: snapshots and drops."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bronze.readers.protocol import refusal
from bronze.readers.snapshot_rows import snapshot_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

    from bronze.discovery import LandedFile
    from contracts.model.contract import Contract


@dataclass(frozen=True)
class ParquetReader:
    """Reads Parquet; a file that is not whole, or lacks a required column, is refused."""

    # A row takes about an eighth of its text
    text_ratio: int = 8

    def check(self, contract: Contract, file: LandedFile) -> pa.Schema:
        """Return a file's schema; raise ContractBreach for a file that cannot be loaded whole."""
        if file.size == 0:
            raise refusal(
                contract, "whole file", f"{file.path} is empty (0 bytes): nothing was loaded"
            )
        try:
            schema = pq.read_schema(file.absolute)
        except (pa.ArrowInvalid, OSError) as error:
            reason = str(error).splitlines()[0]
            raise refusal(
                contract,
                "whole file",
                f"{file.path} is no whole Parquet file ({reason}): nothing was loaded; "
                "ask the producer to send it again",
            ) from None
        missing = [c.name for c in contract.columns if c.required and c.name not in schema.names]
        if missing:
            raise refusal(
                contract,
                "required columns",
                f"{file.path} lacks the required column(s) {', '.join(missing)}: "
                "nothing was loaded",
            )
        return schema

    def count(self, file: LandedFile) -> int:
        """Return the rows that the file's footer counts."""
        return pq.read_metadata(file.absolute).num_rows

    def read(
        self,
        spark: SparkSession,
        contract: Contract,
        files: list[LandedFile],
        schemas: Mapping[str, pa.Schema],
    ) -> DataFrame:
        """Return one bronze row a row of the files; files of one schema are read together."""
        groups: dict[tuple[str, ...], list[LandedFile]] = defaultdict(list)
        for file in files:
            groups[file.capture.order, str(schemas[file.path].remove_metadata())].append(file)
        frames = [
            snapshot_rows(
                spark.read.parquet(*[str(file.absolute) for file in group]), contract, order
            )
            for (order, _), group in groups.items()
        ]
        return reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), frames)
