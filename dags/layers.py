"""Carries each domain through bronze, silver and gold, one DAG a layer.

Bronze starts when a source is due; silver starts when bronze has news, gold when silver has. Each
also sweeps every six hours, since bursts of news are merged: a run works from table versions,
never from the number of events, and ends in seconds when there is nothing to do. A breach of a
contract is not tried again: it fails at once, and what is downstream keeps its last good version.
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
from pipeline.notify import notify_failure
from pipeline.schedule import Pipeline, call, pipelines

START = datetime(2024, 1, 1, tzinfo=UTC)
SWEEP = "0 */6 * * *"


def tell(context: dict[str, Any]) -> None:
    """Tell the owners of a task that failed after its last try; a run tells of a breach itself."""
    error = context.get("exception")
    if not isinstance(error, AirflowFailException):
        domain, _, layer = context["dag"].dag_id.partition("__")
        notify_failure(domain, layer, str(error))


@task(retries=2, retry_delay=timedelta(minutes=1))
def carry(domain: str, layer: str) -> dict[str, Any]:
    """Carry what is new through one layer; skipped, telling nobody, where nothing is."""
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
        description=f"Carry what is new in {domain} through {layer}",
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={"owner": pipeline.owner, "on_failure_callback": tell},
        tags=[domain, layer],
        doc_md=f"{__doc__}\n\nDatasets: {', '.join(c.dataset for c in pipeline.datasets)}.",
    ) as dag:
        carry.override(task_id=f"carry_{layer}", outlets=[asset(domain, layer)])(domain, layer)
    return dag


def asset(domain: str, layer: str) -> Asset:
    """Return the asset that stands for a domain's tables in a layer."""
    return Asset(name=f"{domain}_{layer}", uri=f"lakehouse://{domain}/{layer}", group="lakehouse")


for each in pipelines():
    for name in BATCH:
        made = layer_dag(each, name)
        globals()[made.dag_id] = made
