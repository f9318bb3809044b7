"""The engine names no domain: what is particular to one stands in its own folders."""

from __future__ import annotations

import re

import pytest

from contracts.parsing.domains import domains
from contracts.parsing.load import load_domain
from lakehouse.settings import PROJECT

ENGINE = (
    "contracts", "lakehouse", "bronze", "silver", "gold", "platinum", "pipeline", "operations", "pages",
    "cli", "dags", "dbt",
)  # fmt: skip
NOT_ENGINE = {"domains", "proofs", "benchmarks", "scripts", "tests", "docs", "dbt_project"}


def engine_files():
    """Every Python file of the engine, and the dbt macros that all domains share."""
    for package in ENGINE:
        yield from (PROJECT / package).rglob("*.py")
    yield from (PROJECT / "dbt_project" / "macros").rglob("*.sql")


def group(words):
    """The words as one alternative of a pattern."""
    return f"(?:{'|'.join(sorted(words))})"


FOLDERS = (PROJECT / "contracts", PROJECT / "tests" / "end_to_end" / "second_domain" / "contracts")


def pattern_of(folder, domain):
    """What names a domain: itself, its compound columns, its datasets where they cannot be English."""
    contracts = [c for c in load_domain(folder, domain).values() if c.capture]
    datasets = [contract.dataset for contract in contracts]
    # Airflow's own word for a DAG's first day.
    columns = {name for c in contracts for name in c.names if "_" in name} - {"start_date"}
    # A dataset's name may be an English word, so it counts where it is quoted or part of a table.
    named = rf"""(?:["'`]|__){group(datasets)}(?!\w)"""
    return re.compile(rf"(?<!\w){group([domain, *columns])}(?!\w)|{named}")


def named_in(pattern, files):
    """Every place of files that names a domain, as `file:line: name`."""
    return [
        f"{file.name}:{number}: {match[0]}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (match := pattern.search(line))
    ]


DOMAINS = [(folder, domain) for folder in FOLDERS for domain in domains(folder)]


@pytest.mark.parametrize(("folder", "domain"), DOMAINS)
def test_the_engine_names_no_dataset_and_no_column(folder, domain):
    """No file of the engine has the name of a domain, of a dataset, or of a compound column."""
    assert named_in(pattern_of(folder, domain), engine_files()) == []


@pytest.mark.parametrize(("folder", "domain"), DOMAINS)
def test_a_name_of_a_domain_is_noticed(folder, domain, tmp_path):
    """The test above can fail: a domain, a dataset in quotes and a compound column are noticed."""
    contracts = [c for c in load_domain(folder, domain).values() if c.capture]
    column = next(name for c in contracts for name in c.names if "_" in name)
    canary = tmp_path / "canary.py"
    canary.write_text(f'"{contracts[0].dataset}"\n{domain} = 1\n{column} = 2\n', encoding="utf-8")
    assert len(named_in(pattern_of(folder, domain), [canary])) == 3


def test_every_package_is_engine_or_known_not_to_be():
    """A new folder of code is looked at, and a renamed one cannot drop out unnoticed."""
    code = {path.parent.relative_to(PROJECT).parts[0] for path in PROJECT.glob("*/**/*.py")
            if not path.relative_to(PROJECT).parts[0].startswith(".")}  # fmt: skip
    assert code - NOT_ENGINE == set(ENGINE)
    assert all(any((PROJECT / package).rglob("*.py")) for package in ENGINE)
