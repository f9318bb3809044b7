"""What dbt's adapter gets from who started dbt: a run, or a person's shell."""

from __future__ import annotations

import pytest

from gold import publish
from gold.dbt.invocation import BuildState, ShellInvocation
from lakehouse.errors import DomainLocked
from lakehouse.runs.lock import lock_domain
from lakehouse.storage.tables import TableName, Tables

FACT, MART = TableName("gold", "toy__fct"), TableName("gold", "toy__mart")


def test_a_rebuilt_table_is_derived_and_audited_from_all_there_is():
    """The others read and audit what is newer than the last publication."""
    state = BuildState(since=7, rebuilt={FACT})
    assert (state.watermark(FACT), state.audited(FACT)) == (-1, -1)
    assert (state.watermark(MART), state.audited(MART)) == (7, 7)


def test_a_changed_audit_reads_all_rows_of_a_table_that_is_not_rebuilt():
    """In a run of the named tables, from a shell of every table."""
    state = BuildState(since=7, audited_in_full={FACT})
    assert (state.watermark(FACT), state.audited(FACT), state.audited(MART)) == (7, -1, 7)
    assert BuildState(since=7, audited_in_full=None).audited(MART) == -1


def test_a_shell_reads_the_last_publication_of_its_warehouse(tmp_path, monkeypatch):
    """`LAKEHOUSE_HOME` names the warehouse; the watermark is the batch that was published last."""
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path / "home"))
    shell = ShellInvocation(tmp_path / "dbt")
    assert shell.settings.home == tmp_path / "home"
    assert shell.settings.dbt_project == tmp_path / "dbt"
    assert shell.state("toy").watermark(FACT) == -1
    publish.append(
        Tables.at(shell.settings), publish.Publication(5, "toy", {FACT: 0}, {}, {}, "code")
    )
    assert ShellInvocation(tmp_path / "dbt").state("toy") == BuildState(5, audited_in_full=None)


def test_without_a_home_it_is_the_folder_beside_the_project(tmp_path, monkeypatch):
    """As `make demo` leaves it, wherever the shell stands."""
    monkeypatch.delenv("LAKEHOUSE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert (
        ShellInvocation(tmp_path / "shop" / "dbt").settings.home == tmp_path / "shop" / ".lakehouse"
    )


def test_a_shell_does_not_write_while_a_run_does(tmp_path, monkeypatch):
    """Nor does a run while the shell does, until dbt ends."""
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path))
    shell = ShellInvocation(tmp_path / "dbt")
    with lock_domain(tmp_path, "toy", "run"), pytest.raises(DomainLocked, match="run"):
        shell.lock("toy")
    shell.lock("toy")
    shell.lock("toy")
    with pytest.raises(DomainLocked, match="dbt"), lock_domain(tmp_path, "toy", "run"):
        pass
