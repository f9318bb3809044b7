"""Loads each domain into bronze, silver and gold, one DAG a layer.

Bronze starts when a source is due; silver starts when bronze has new rows, gold when silver has. Silver
and gold also start every six hours, since bursts of asset events are merged: a run works from table
versions, never from the number of events, and ends in seconds when there is nothing to do. A breach of
a contract is not retried: it fails at once, and tables downstream keep their last good version.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

from lakehouse.errors import ContractBreach
from lakehouse.layers import BATCH
from pipeline.schedule import Pipeline, call, pipelines
from pipeline.task_callbacks import on_failure

START = datetime(2024, 1, 1, tzinfo=UTC)
SWEEP = "0 */6 * * *"


@task(retries=2, retry_delay=timedelta(minutes=1))
def run_layer(domain: str, layer: str) -> dict[str, Any]:
    """Run one layer on what is new upstream; skipped, without a notice, where nothing is."""
    try:
        result = call("run", domain, "--layer", layer)
    except ContractBreach as breach:
        raise AirflowFailException(str(breach)) from None
    if result["nothing_new"]:
        raise AirflowSkipException(f"{domain} {layer}: nothing new")
    return {"run": result["run"], "seconds": result["seconds"], "steps": len(result["steps"])}


def layer_dag(pipeline: Pipeline, layer: str) -> DAG:
    """Return the DAG of one domain's layer."""
    domain, place = pipeline.domain, BATCH.index(layer)
    if place == 0:
        hours = pipeline.every_hours
        schedule: Any = "0 2 * * *" if hours >= 24 else f"0 */{hours} * * *"
    else:
        schedule = AssetOrTimeSchedule(
            timetable=CronTriggerTimetable(SWEEP, timezone="UTC"),
            assets=[asset(domain, BATCH[place - 1])],
        )
    with DAG(
        dag_id=f"{domain}__{layer}",
        description=f"Load what is new in {domain} into {layer}",
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={"owner": pipeline.owner, "on_failure_callback": on_failure},
        tags=[domain, layer],
        doc_md=f"{__doc__}\n\nDatasets: {', '.join(c.dataset for c in pipeline.datasets)}.",
    ) as dag:
        run_layer.override(task_id=f"carry_{layer}", outlets=[asset(domain, layer)])(domain, layer)
    return dag


def asset(domain: str, layer: str) -> Asset:
    """Return the asset that stands for a domain's tables in a layer."""
    return Asset(name=f"{domain}_{layer}", uri=f"lakehouse://{domain}/{layer}", group="lakehouse")


for pipeline in pipelines():
    for name in BATCH:
        dag = layer_dag(pipeline, name)
        globals()[dag.dag_id] = dag
