"""Scores the events of a domain whenever bronze has new rows, each event once.

It reads events as they were captured and joins them with the features that gold last published. It is
skipped until every model of the domain has been trained.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from lakehouse.errors import ContractBreach
from pipeline.schedule import Pipeline, call, is_trained, pipelines
from pipeline.task_callbacks import on_failure, on_success

START = datetime(2024, 1, 1, tzinfo=UTC)


@task(retries=2, retry_delay=timedelta(minutes=1))
def score(domain: str) -> dict[str, Any]:
    """Score the domain's new events; skipped without a model, and a breach is not retried."""
    if not is_trained(domain):
        raise AirflowSkipException(f"{domain}: no model yet, start {domain}__train")
    try:
        return call("score", domain)
    except ContractBreach as breach:
        raise AirflowFailException(str(breach)) from None


def score_dag(pipeline: Pipeline) -> DAG:
    """Return the DAG that scores a domain's events when bronze has new rows."""
    domain = pipeline.domain
    with DAG(
        dag_id=f"{domain}__score",
        description=f"Score the events of {domain}",
        schedule=[
            Asset(name=f"{domain}_bronze", uri=f"lakehouse://{domain}/bronze", group="lakehouse")
        ],
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={
            "owner": pipeline.owner,
            "on_failure_callback": on_failure,
            "on_success_callback": on_success,
        },
        tags=[domain, "platinum"],
        doc_md=__doc__,
    ) as dag:
        scores = Asset(
            name=f"{domain}_score", uri=f"lakehouse://{domain}/platinum/score", group="lakehouse"
        )
        score.override(outlets=[scores])(domain)
    return dag


for pipeline in pipelines():
    if pipeline.scores:
        dag = score_dag(pipeline)
        globals()[dag.dag_id] = dag
