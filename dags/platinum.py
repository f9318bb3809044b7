"""Scores what streams in and enriches what gold has, for each domain that declares it.

Scoring starts when bronze has news: it reads events as they were captured, joined with the
candidates that gold last published. Inference starts when gold has news; it pays for each input
once and goes on where it was stopped. Training is started by hand: a new model is a decision.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from lakehouse.errors import ContractBreach
from pipeline.notify import notify_failure, notify_recovery
from pipeline.schedule import Pipeline, call, is_trained, pipelines

START = datetime(2024, 1, 1, tzinfo=UTC)


def tell(context: dict[str, Any]) -> None:
    """Tell the owners of a task that failed after its last try; a verb tells of a breach itself."""
    error = context.get("exception")
    if not isinstance(error, AirflowFailException):
        domain, _, name = context["dag"].dag_id.partition("__")
        notify_failure(domain, f"platinum {name}", str(error))


def tell_again(context: dict[str, Any]) -> None:
    """Tell the owners that a task which failed works again."""
    domain, _, name = context["dag"].dag_id.partition("__")
    notify_recovery(domain, f"platinum {name}")


@task(retries=2, retry_delay=timedelta(minutes=1))
def verb(name: str, domain: str) -> dict[str, Any]:
    """Run one verb for a domain; scoring is skipped while no model was trained."""
    if name == "score" and not is_trained(domain):
        raise AirflowSkipException(f"{domain}: no model yet, start {domain}__train")
    try:
        return call(name, domain)
    except ContractBreach as breach:
        raise AirflowFailException(str(breach)) from None


def verb_dag(pipeline: Pipeline, name: str, after: str | None, what: str) -> DAG:
    """Return the DAG that runs one verb when a layer has news, or by hand where `after` is None."""
    domain = pipeline.domain
    upstream = f"lakehouse://{domain}/{after}"
    with DAG(
        dag_id=f"{domain}__{name}",
        description=what,
        schedule=[Asset(name=f"{domain}_{after}", uri=upstream, group="lakehouse")]
        if after
        else None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={
            "owner": pipeline.owner,
            "on_failure_callback": tell,
            "on_success_callback": tell_again,
        },
        tags=[domain, "platinum"],
        doc_md=__doc__,
    ) as dag:
        outlet = Asset(
            name=f"{domain}_{name}", uri=f"lakehouse://{domain}/platinum/{name}", group="lakehouse"
        )
        verb.override(task_id=name, outlets=[outlet])(name, domain)
    return dag


for each in pipelines():
    kinds = []
    if each.scores:
        kinds.append(("train", None, f"Train the models of {each.domain}"))
        kinds.append(("score", "bronze", f"Score the events of {each.domain}"))
    if each.enriches:
        kinds.append(("enrich", "gold", f"Run the inference jobs of {each.domain}"))
    for kind in kinds:
        made = verb_dag(each, *kind)
        globals()[made.dag_id] = made
