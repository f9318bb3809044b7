"""The engine names no domain: what is particular to one stands in its own folders."""

from __future__ import annotations

import re

import pytest

from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.settings import PROJECT

ENGINE = ("contracts", "bronze", "silver", "gold", "platinum", "lakehouse", "cli", "dags")


def engine_files():
    """Every Python file of the engine, and the dbt macros that all domains share."""
    for package in ENGINE:
        yield from (PROJECT / package).rglob("*.py")
    yield from (PROJECT / "dbt_project" / "macros").rglob("*.sql")


def group(words):
    """The words as one alternative of a pattern."""
    return f"(?:{'|'.join(sorted(words))})"


FOLDERS = (PROJECT / "contracts", PROJECT / "tests" / "second_domain" / "contracts")


@pytest.mark.parametrize(("folder", "domain"), [(f, d) for f in FOLDERS for d in domains(f)])
def test_the_engine_names_no_dataset_and_no_column(folder, domain):
    """No file of the engine has the name of a domain, of a dataset, or of a compound column."""
    contracts = [c for c in load_domain(folder, domain).values() if c.capture]
    datasets = [contract.dataset for contract in contracts]
    # Airflow's own word for a DAG's first day.
    columns = {name for c in contracts for name in c.names if "_" in name} - {"start_date"}
    # A dataset's name may be an English word, so it counts where it is quoted or part of a table.
    named = rf"""(?:["'`]|__){group(datasets)}(?!\w)"""
    pattern = re.compile(rf"(?<!\w){group([domain, *columns])}(?!\w)|{named}")
    found = [
        f"{file.relative_to(PROJECT)}:{number}: {match[0]}"
        for file in engine_files()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (match := pattern.search(line))
    ]
    assert found == []
