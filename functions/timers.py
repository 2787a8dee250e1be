"""The timers: each tick works on every subscription, in bounded slices."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import services
from shared.http.long_recordings import is_on

blueprint = func.Blueprint()


@blueprint.function_name("retention")
@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False)
def retention(timer: func.TimerRequest) -> None:  # noqa: ARG001  the worker passes it by name
    """Finishes erasures and drops what has expired. It never loads the model."""
    services().retain()


@blueprint.function_name("compaction")
@blueprint.timer_trigger(arg_name="timer", schedule="30 */5 * * * *", run_on_startup=False)
def compaction(timer: func.TimerRequest) -> None:  # noqa: ARG001  as above
    """Keeps galleries quick to load. It never loads the model."""
    services().compact_galleries()


@blueprint.function_name("migration")
@blueprint.timer_trigger(arg_name="timer", schedule="30 */5 * * * *", run_on_startup=False)
def migration(timer: func.TimerRequest) -> None:  # noqa: ARG001  as above
    """Moves profiles to the configured speaker model, which it loads while there is something to move."""
    services().migrate()


if is_on():  # every minute costs, and keeps an instance awake

    @blueprint.function_name("turns")
    @blueprint.timer_trigger(arg_name="timer", schedule="0 * * * * *", run_on_startup=False)
    def turns(timer: func.TimerRequest) -> None:  # noqa: ARG001  as above
        """Works on long recordings. It loads models while there is one."""
        services().hear_long_recordings()
