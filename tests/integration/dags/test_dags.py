"""Every domain gets its DAGs, and each DAG follows the rules of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contracts.parsing.domains import domains
from lakehouse.settings import PROJECT
from pipeline.schedule import pipelines

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


def test_each_domain_has_the_dags_that_its_contracts_declare(bag):
    """Layers for all; training and scoring with a `score`, enrichment with an `enrich`; one file a kind."""
    files = {"train": "train.py", "score": "score.py", "enrich": "enrich.py"}
    expected = {}
    for pipeline in pipelines():
        kinds = ["bronze", "silver", "gold"]
        kinds += ["train", "score"] if pipeline.scores else []
        kinds += ["enrich"] if pipeline.enriches else []
        for kind in kinds:
            expected[f"{pipeline.domain}__{kind}"] = files.get(kind, "layers.py")
    assert {"layers.py", *files.values()} == set(expected.values()), (
        "the sample domain has all kinds"
    )
    assert {name: Path(dag.fileloc).name for name, dag in bag.dags.items()} == expected
    assert set(expected.values()) == {path.name for path in (PROJECT / "dags").glob("*.py")}


def test_scoring_waits_for_bronze_and_enrichment_for_gold(bag):
    """Training is started by hand alone."""
    for dag_id, dag in bag.dags.items():
        domain, _, kind = dag_id.partition("__")
        if kind == "train":
            assert not dag.timetable.can_be_scheduled
        if kind in ("score", "enrich"):
            upstream = {"score": "bronze", "enrich": "gold"}[kind]
            waits = {asset.uri for asset in dag.timetable.asset_condition.objects}
            assert waits == {f"lakehouse://{domain}/{upstream}"}


def test_each_dag_has_an_owner_and_a_description(bag):
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


def test_a_task_that_fails_for_good_notifies_the_owner_once(bag, tmp_path, monkeypatch):
    """Each task has the callback; it alerts as a run does, and leaves a breach to the run."""
    from airflow.sdk.exceptions import AirflowFailException

    from lakehouse.settings import settings
    from tests.alert_servers import Hook

    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    with Hook() as hook:
        monkeypatch.setenv("LAKEHOUSE_ALERT_WEBHOOK", hook.url)
        for dag in bag.dags.values():
            for task in dag.tasks:
                assert task.on_failure_callback, dag.dag_id
        domain = domains(PROJECT / "contracts")[0]
        dag = bag.dags[f"{domain}__gold"]
        [callback] = dag.tasks[0].on_failure_callback
        for error in (AirflowFailException("a breach"), OSError("the disk is full"), OSError("x")):
            callback({"dag": dag, "exception": error})
    settings.cache_clear()
    [body] = hook.bodies
    assert body["text"].startswith(f"[{domain}] failure: ")
    assert "the disk is full" in body["blocks"][1]["text"]["text"]
