"""Trains the models that a domain's contracts declare, by hand: a new model is a decision.

Start it once gold has been published; scoring is skipped until every model has been trained.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowFailException

from lakehouse.errors import ContractBreach
from pipeline.schedule import Pipeline, call, pipelines
from pipeline.task_callbacks import on_failure, on_success

START = datetime(2024, 1, 1, tzinfo=UTC)


@task(retries=2, retry_delay=timedelta(minutes=1))
def train(domain: str) -> dict[str, Any]:
    """Train the domain's models; a breach is not retried."""
    try:
        return call("train", domain)
    except ContractBreach as breach:
        raise AirflowFailException(str(breach)) from None


def train_dag(pipeline: Pipeline) -> DAG:
    """Return the DAG that trains a domain's models."""
    domain = pipeline.domain
    with DAG(
        dag_id=f"{domain}__train",
        description=f"Train the models of {domain}",
        schedule=None,
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
        models = Asset(
            name=f"{domain}_train", uri=f"lakehouse://{domain}/platinum/train", group="lakehouse"
        )
        train.override(outlets=[models])(domain)
    return dag


for pipeline in pipelines():
    if pipeline.scores:
        dag = train_dag(pipeline)
        globals()[dag.dag_id] = dag
