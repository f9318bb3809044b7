"""The verb `contracts`: check the files; the other parts stand in files of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.arguments import AnyDomain, Json, examples, known_domains, read_settings
from cli.output import emit, table
from operations.authoring import compare, derive, describe, draft, propose

if TYPE_CHECKING:
    from rich.console import Console

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings


def check(settings: Settings, domain: str = "") -> list[dict[str, Any]]:
    """Return one row a contract file; raise ContractError with every problem of every file."""
    from contracts.errors import ContractError
    from contracts.parsing.load import load_domain
    from lakehouse.runs.contract_versions import refuse_older
    from lakehouse.storage.tables import Tables

    rows, problems = [], []
    for name in [domain] if domain else known_domains(settings.contracts):
        try:
            contracts = load_domain(settings.contracts, name)
            refuse_older(Tables.at(settings), name, contracts)
        except ContractError as error:
            problems.append(str(error))
            continue
        rows += [_counts(contract) for contract in contracts.values()]
    if problems:
        raise ContractError("\n".join(problems))
    return rows


def _counts(contract: Contract) -> dict[str, Any]:
    across = (*contract.row_rules, *contract.unique, *contract.references, *contract.dataset_rules)
    rules = (*contract.rules, *across)
    warnings = sum(rule.severity == "warning" for rule in rules)
    return {
        "file": contract.file,
        "dataset": f"{contract.domain}.{contract.dataset}",
        "version": contract.version,
        "status": contract.status,
        "owner": contract.owner,
        "columns": len(contract.columns),
        "rules": len(rules) - warnings,
        "warnings": warnings,
        "capture": sorted({way.method for way in contract.capture}),
        "vault": contract.vault.events if contract.vault else "",
    }


def _check(domain: AnyDomain = "", json: Json = False) -> None:
    """Check every contract file: the standard's schema, types, rules, vault; exit 2 for a problem."""
    emit({"contracts": check(read_settings(), domain)}, json, _checked)


def _checked(out: Console, found: dict[str, Any]) -> None:
    rows = found["contracts"]
    if not rows:
        out.print("no contracts")
        return
    columns = ["file", "version", "status", "owner", ">columns", ">rules", ">warnings", "vault"]
    out.print(table("", columns, [[row[name.lstrip(">")] for name in columns] for row in rows]))
    out.print(f"{len(rows)} contracts, no problem")


def add_to(app: typer.Typer) -> None:
    """Add the verb and its parts."""
    verb = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    lines = ("lakehouse contracts check", "lakehouse contracts check {domain} --json")
    verb.command("check", epilog=examples(*lines))(_check)
    lines = (
        "lakehouse contracts show {domain}.{dataset}",
        "lakehouse contracts show {domain}.{dataset} --sql",
        "lakehouse contracts show {domain} {dataset} --pandera",
    )
    verb.command("show", epilog=examples(*lines))(describe.command)
    lines = (
        "lakehouse contracts diff --against earlier",
        "lakehouse contracts diff {domain} --against v1.2.0",
        "lakehouse contracts diff HEAD~1:contracts/{domain}/{dataset}.yaml contracts/{domain}/{dataset}.yaml",
    )
    verb.command("diff", epilog=examples(*lines))(compare.command)
    lines = ("lakehouse contracts propose {domain}", "lakehouse contracts propose {domain} --write")
    verb.command("propose", epilog=examples(*lines))(propose.command)
    derive.add_to(verb)
    draft.add_to(verb)
    app.add_typer(
        verb,
        name="contracts",
        help="Check, show, compare, draft or extend contracts; derive from all.",
    )
