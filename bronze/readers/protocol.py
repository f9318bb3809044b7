"""What a kind of source has to do: check a file, count its rows, read it into bronze rows.

Readers are registered by format in `bronze.readers`, where capture looks up the reader of a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lakehouse.errors import ContractBreach, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from bronze.discovery import LandedFile
    from contracts.model.contract import Contract


class Reader(Protocol):
    """Reads one kind of source exactly, or refuses a file by its name."""

    @property
    def text_ratio(self) -> int:
        """Return how many bytes of text one byte of a file has, about."""
        ...

    def check(self, contract: Contract, file: LandedFile) -> pa.Schema | None:
        """Return the types of a file's columns, None where all are text; needs no JVM.

        Raises:
            ContractBreach: the file cannot be loaded whole; nothing of its dataset is written.
        """
        ...

    def count(self, file: LandedFile) -> int:
        """Return how many rows a file has, as its source would count them; needs no JVM."""
        ...

    def read(
        self,
        spark: SparkSession,
        contract: Contract,
        files: list[LandedFile],
        schemas: Mapping[str, pa.Schema],
    ) -> DataFrame:
        """Return one bronze row a row of the files, without the columns of the batch.

        `schemas` are what `check` returned, by path. Nothing is dropped, nothing deduplicated.
        """
        ...


def refusal(contract: Contract, rule: str, reason: str) -> ContractBreach:
    """Return the breach of a file that cannot be loaded whole; `reason` names the file."""
    table = f"bronze.{contract.domain}__{contract.dataset}"
    return ContractBreach(
        f"{contract.dataset}: {reason}",
        [Violation(contract.dataset, "bronze", rule, reason, table=table)],
    )
