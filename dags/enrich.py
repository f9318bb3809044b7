"""Enriches a domain's rows by inference whenever gold has been published.

Each input is paid for once: a run continues where the one before it was stopped.
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
def enrich(domain: str) -> dict[str, Any]:
    """Run the domain's inference jobs; a breach is not retried."""
    try:
        return call("enrich", domain)
    except ContractBreach as breach:
        raise AirflowFailException(str(breach)) from None


def enrich_dag(pipeline: Pipeline) -> DAG:
    """Return the DAG that runs a domain's inference jobs when gold has been published."""
    domain = pipeline.domain
    with DAG(
        dag_id=f"{domain}__enrich",
        description=f"Run the inference jobs of {domain}",
        schedule=[
            Asset(name=f"{domain}_gold", uri=f"lakehouse://{domain}/gold", group="lakehouse")
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
        results = Asset(
            name=f"{domain}_enrich", uri=f"lakehouse://{domain}/platinum/enrich", group="lakehouse"
        )
        enrich.override(outlets=[results])(domain)
    return dag


for pipeline in pipelines():
    if pipeline.enriches:
        dag = enrich_dag(pipeline)
        globals()[dag.dag_id] = dag
