"""What a scheduler calls when a task ends: owners are notified of a failure, and of the recovery.

A callback takes Airflow's context of the task. A DAG is named `<domain>__<layer>`, or
`<domain>__<command>` where the command is one of platinum's.
"""

from __future__ import annotations

from typing import Any

from lakehouse.layers import BATCH, PLATINUM
from pipeline.notify import notify_failure, notify_recovery


def on_failure(context: dict[str, Any]) -> None:
    """Notify the owners of a task that failed after its last retry; a run reports a breach itself."""
    from airflow.sdk.exceptions import AirflowFailException

    error = context.get("exception")
    if not isinstance(error, AirflowFailException):
        notify_failure(*_place(context), str(error))


def on_success(context: dict[str, Any]) -> None:
    """Notify the owners that a task which failed works again."""
    notify_recovery(*_place(context))


def _place(context: dict[str, Any]) -> tuple[str, str]:
    """Return the domain of a task's DAG and its layer, with the command for platinum."""
    domain, _, name = context["dag"].dag_id.partition("__")
    return domain, name if name in BATCH else f"{PLATINUM} {name}"
