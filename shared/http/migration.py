"""The wire of a migration's progress: ``GET /manage/subscriptions/{id}/migration``."""

from __future__ import annotations

from shared.bootstrap import Services
from shared.domain.migration import MigrationProgress
from shared.http.reply import Reply, date


def shown(services: Services, progress: MigrationProgress | None) -> Reply:
    """Counts of the walk towards the model that the service runs now; zeros before it has begun."""
    model, previous = services.models.current, services.models.previous
    if progress is None or progress.model_id != model.model_id:
        progress, begun = MigrationProgress(model.model_id, services.clock()), False
    else:
        begun = True
    finished_at = progress.finished_at
    return Reply(
        200,
        {
            "model": {"id": model.model_id, "version": model.version, "calibrated": model.calibration is not None},
            "previousModel": previous.model_id if previous else None,
            "state": "finished" if finished_at else "running" if begun else "notStarted",
            "startedDateTime": date(progress.started_at) if begun else None,
            "finishedDateTime": date(finished_at) if finished_at else None,
            "profilesChecked": progress.checked,
            "profilesMigrated": progress.migrated,
            "profilesToEnrollAgain": progress.flagged,
            "profilesPostponed": progress.postponed,
        },
    )
