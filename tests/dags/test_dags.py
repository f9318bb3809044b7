"""Every domain gets its DAGs, and each DAG keeps the house's rules."""

from __future__ import annotations

import os

import pytest

from contracts.load import domains
from lakehouse.settings import PROJECT

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """The DAGs as Airflow loads them, with a database of its own that is never written."""
    os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(PROJECT / "dags"))


def test_all_files_load(bag):
    """No DAG file has an error."""
    assert bag.import_errors == {}


def test_each_domain_has_its_layers_chained_by_assets(bag):
    """Bronze is on the clock, silver waits for bronze's asset, gold for silver's."""
    for domain in domains(PROJECT / "contracts"):
        for layer, upstream in (("silver", "bronze"), ("gold", "silver")):
            assert f"{domain}__bronze" in bag.dags
            timetable = bag.dags[f"{domain}__{layer}"].timetable
            waits = {asset.uri for _, asset in timetable.asset_condition.iter_assets()}
            assert waits == {f"lakehouse://{domain}/{upstream}"}
            [task] = bag.dags[f"{domain}__{layer}"].tasks
            assert {asset.uri for asset in task.outlets} == {f"lakehouse://{domain}/{layer}"}


def test_each_dag_says_whose_it_is_and_what_it_does(bag):
    """Owner, tags, documentation, retries, no catch-up, one run at a time."""
    assert bag.dags
    for dag in bag.dags.values():
        assert dag.doc_md
        assert dag.description
        assert len(dag.tags) == 2
        assert not dag.catchup
        assert dag.max_active_runs == 1
        for task in dag.tasks:
            assert task.owner not in ("", "airflow")
            assert task.retries == 2
