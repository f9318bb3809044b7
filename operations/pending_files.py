"""Landed files that bronze has not captured yet, found without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bronze.discovery import FileLog
    from lakehouse.settings import Settings
    from lakehouse.storage.tables import Tables


def waiting_files(settings: Settings, domain: str) -> dict[str, Any]:
    """Return `waiting`, one row a dataset with files and bytes, or `contract_error` beside it.

    Contracts say which file belongs to which dataset. To load them costs more than all the rest
    of a short command, so that is done only where the log does not know every file.
    """
    from bronze.discovery import FileLog
    from lakehouse.storage.tables import Tables

    if not (settings.landing / domain).is_dir():
        return {"waiting": []}
    tables = Tables.at(settings)
    log = FileLog(tables, domain)
    if _all_captured(settings, tables, log):
        return {"waiting": []}
    from bronze.discovery import pending_files
    from contracts.errors import ContractError
    from contracts.parsing.load import load_domain

    try:
        contracts = load_domain(settings.contracts, domain)
    except ContractError as error:
        return {"waiting": [], "contract_error": str(error)}
    found = []
    for dataset, contract in contracts.items():
        files = pending_files(settings, contract, log) if contract.capture else []
        if files:
            total = sum(file.size for file in files)
            found.append({"dataset": dataset, "files": len(files), "bytes": total})
    return {"waiting": found}


def _all_captured(settings: Settings, tables: Tables, log: FileLog) -> bool:
    from lakehouse.runs.bookmarks import captured_batch
    from lakehouse.storage.tables import TableName

    root, captured = settings.landing / log.domain, set()
    for dataset in {entry.dataset for entry in log.entries}:
        bronze = TableName.of("bronze", log.domain, dataset)
        settled = log.completed(dataset, captured_batch(tables, bronze))
        captured |= {(entry.path, entry.size, entry.modified_ns) for entry in settled}
    for path in root.rglob("*"):
        if path.is_file() and not path.name.startswith((".", "_")):
            stat = path.stat()
            if (str(path.relative_to(root)), stat.st_size, stat.st_mtime_ns) not in captured:
                return False
    return True
