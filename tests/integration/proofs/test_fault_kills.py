"""Kills while planted faults are pending, in short; `make prove` does it for many seeds."""

from __future__ import annotations

import shutil

import pytest

from bronze.discovery import FileLog
from proofs.convergence import forget
from proofs.fault_kills import Harness
from proofs.schedule import Kill
from tests.integration.proofs import forgetful_run

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SEED = 31337
# Gold would take longer than all the rest; without it the audit knows that orphans are not met yet.
LAYERS = ("bronze", "silver")


@pytest.fixture(scope="module")
def killed(spark, tmp_path_factory):
    """A home in which four runs were killed over two days' landings, and what became of it."""
    folder = tmp_path_factory.mktemp("fault-kills")
    harness = Harness(spark, folder, LAYERS)
    settings = harness.settings("home")
    days = [[Kill("plan"), Kill("plan", delay=0.5)], [Kill("abandon"), Kill("bronze")]]
    yield folder, harness.trial(SEED, days, settings)
    forget(spark)


def test_faults_pending_at_killed_runs_are_met_as_promised(killed):
    """Killed with a re-sent file in the plan, and in bronze: at the end the audit has no problem."""
    _, trial = killed
    assert trial.problems == []
    assert trial.kills == 4, trial.history
    assert trial.twins >= 2, trial.history
    assert trial.points["bronze"] == 1, trial.history


def test_a_run_that_loses_a_resent_file_fails_the_proof(killed, spark, monkeypatch):
    """With the fault put back into killed and whole runs, the trial names the file that is lost."""
    folder, _ = killed
    shutil.copytree(folder / "home", folder / "forgetful")
    for name, method in forgetful_run.FAULT.items():
        monkeypatch.setattr(FileLog, name, method)
    harness = Harness(spark, folder, LAYERS, program=("-m", forgetful_run.__name__))
    trial = harness.trial(SEED, [[Kill("plan")]], harness.settings("forgetful"))
    assert trial.kills == 1, trial.history
    lost = "its content was loaded 0 times and skipped 2 times"
    assert any("re-sent file" in line and lost in line for line in trial.problems), trial.problems
