"""Compaction: the timer that keeps galleries quick to load. It never loads the model."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import services

blueprint = func.Blueprint()


@blueprint.function_name("compaction")
@blueprint.timer_trigger(arg_name="timer", schedule="30 */5 * * * *", run_on_startup=False)
def compaction(timer: func.TimerRequest) -> None:  # noqa: ARG001  the worker passes it by name
    services().compact_galleries()
