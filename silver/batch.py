"""One dataset's batch in silver: its rows, its bookmark, and the outcome of its load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse.runs.bookmarks import consumed_batch
from lakehouse.storage.tables import TableName, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model.contract import Contract
    from lakehouse.quality.dataset_audit.audit import Audit
    from lakehouse.quality.sealing import Seal
    from lakehouse.runs.ledger import Run
    from lakehouse.storage.table_log import Written


@dataclass(frozen=True)
class Batch:
    """The bronze rows of one dataset after batch `consumed`, up to and with batch `newest`.

    `enforce_rules` is whether the dataset's rules may stop it: not rows that were accepted before.
    `targets` are the contracts of the datasets that its references may point to.
    `seal` closes the personal values of rejected rows; none is needed where no column is personal.
    """

    contract: Contract
    run: Run
    tables: Tables
    consumed: int
    newest: int
    enforce_rules: bool = True
    targets: Mapping[str, Contract] = field(default_factory=dict)
    seal: Seal | None = None

    @property
    def bronze(self) -> TableName:
        """Return the table that is read."""
        return TableName.of("bronze", self.run.domain, self.contract.dataset)

    @property
    def events(self) -> TableName:
        """Return the table of good events."""
        assert self.contract.vault is not None
        return TableName.of("silver", self.run.domain, self.contract.vault.events)

    @property
    def quarantine(self) -> TableName:
        """Return the table of rejected rows."""
        return TableName.of("silver", self.run.domain, f"{self.contract.dataset}_quarantine")

    @property
    def rejected_until(self) -> int:
        """Return the last bronze batch whose rejected rows are in quarantine, -1 for none.

        That is ahead of `consumed` where a load died between the two commits, or a rollback did.
        """
        return consumed_batch(self.tables, self.quarantine, self.bronze)

    @property
    def bookmark(self) -> tuple[str, int] | None:
        """Return the bookmark that the commits of this batch carry: bronze was read up to `newest`.

        It is the idempotency key of each commit, so none is made twice; None for no bookmark.
        """
        return str(self.bronze), self.newest

    @property
    def skip_on(self) -> tuple[str, ...]:
        """Return the columns whose ranges let a reader skip files of the events table."""
        return ("_batch", "_sequence", *self.contract.keys)


@dataclass(frozen=True)
class Loaded:
    """The rows of a batch by outcome, and what was written of them to the tables.

    `closed` of the events are deletes that truncates or updates called for; `rejected_before` of
    the quarantined rows were there already. `warnings` are the messages of violated cross-row rules.
    """

    split: dict[str, int]
    events: Written
    quarantine: Written
    closed: int = 0
    rejected_before: int = 0
    audit: Audit | None = None
    warnings: tuple[str, ...] = ()
