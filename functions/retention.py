"""Retention: the timer that finishes erasures and drops what has expired. It never loads the model."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import services

blueprint = func.Blueprint()


@blueprint.function_name("retention")
@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False)
def retention(timer: func.TimerRequest) -> None:  # noqa: ARG001  the worker passes it by name
    services().retain()
