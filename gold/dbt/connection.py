"""dbt's connection to the warehouse: the Spark session of this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbt.adapters.spark.connections import (
    SparkConnectionManager,
    SparkConnectionMethod,
    SparkCredentials,
)

from gold.dbt.invocation import current

if TYPE_CHECKING:
    from dbt.adapters.contracts.connection import Connection

NAME = "lakehouse"


@dataclass
class LakehouseCredentials(SparkCredentials):
    """The credentials of a session in this process: none.

    dbt-spark leaves ANSI mode for the whole session: an overflow or a bad cast would be a null, and
    what is hashed after it another text. Here it stays as the session has it.
    """

    def __post_init__(self) -> None:
        """Fill in what dbt-spark requires of any profile, and take back what it sets."""
        self.method, self.host = SparkConnectionMethod.SESSION, "localhost"
        super().__post_init__()
        del self.server_side_parameters["spark.sql.ansi.enabled"]

    @property
    def type(self) -> str:
        """Return the name by which a profile names this adapter."""
        return NAME

    def _connection_keys(self) -> tuple[str, ...]:
        return ("schema",)


class LakehouseConnectionManager(SparkConnectionManager):
    """Opens the session, with the tables that the models read in its catalog."""

    TYPE = NAME

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Return an open connection; the first one of a shell's dbt starts the session."""
        current().connect()
        return super().open(connection)
