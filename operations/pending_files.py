"""Landed files that bronze has not captured yet, listed without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bronze.discovery import FileLog
    from lakehouse.settings import Settings
    from lakehouse.storage.tables import Tables


def pending_files(settings: Settings, domain: str) -> dict[str, Any]:
    """Return `pending`, one row a dataset with files and bytes, or `contract_error` beside it.

    A contract's `capture` decides which file belongs to which dataset. Loading contracts costs more
    than all the rest of a short command, so that is done only where the log lacks a file.
    """
    from bronze.discovery import FileLog
    from lakehouse.storage.tables import Tables

    if not (settings.landing / domain).is_dir():
        return {"pending": []}
    tables = Tables.at(settings)
    log = FileLog(tables, domain)
    if _all_captured(settings, tables, log):
        return {"pending": []}
    from bronze import discovery
    from contracts.errors import ContractError
    from contracts.parsing.load import load_domain

    try:
        contracts = load_domain(settings.contracts, domain)
    except ContractError as error:
        return {"pending": [], "contract_error": str(error)}
    datasets = []
    for dataset, contract in contracts.items():
        files = discovery.pending_files(settings, contract, log) if contract.capture else []
        if files:
            total = sum(file.size for file in files)
            datasets.append({"dataset": dataset, "files": len(files), "bytes": total})
    return {"pending": datasets}


def _all_captured(settings: Settings, tables: Tables, log: FileLog) -> bool:
    from lakehouse.runs.bookmarks import captured_batch
    from lakehouse.storage.tables import TableName

    root, captured = settings.landing / log.domain, set()
    for dataset in {entry.dataset for entry in log.entries}:
        bronze = TableName.of("bronze", log.domain, dataset)
        completed = log.completed(dataset, captured_batch(tables, bronze))
        captured |= {(entry.path, entry.size, entry.modified_ns) for entry in completed}
    for path in root.rglob("*"):
        if path.is_file() and not path.name.startswith((".", "_")):
            stat = path.stat()
            if (str(path.relative_to(root)), stat.st_size, stat.st_mtime_ns) not in captured:
                return False
    return True
