"""The log lines of what is done beside the jobs: duties, publishing, and the store itself."""

import logging
import os
from collections.abc import Callable
from typing import Any

from rotulus import events as e
from rotulus._app.explanation import many
from rotulus._jobs.states import State

Line = tuple[int, str, dict[str, Any]]
"""The level of a line, its text, and its data."""


def _schedule_fired(event: e.ScheduleFired) -> Line:
    data = {"event": "schedule_fired", "schedule": event.schedule, "job": event.job_id}
    at = f"{event.instant:%Y-%m-%d %H:%M{':%S' * bool(event.instant.second)}}Z"
    return logging.INFO, f"fired {event.schedule} for {at} as {event.job_id}", data


def _jobs_rescued(event: e.JobsRescued) -> Line:
    dead = sum(job.state == State.DEAD for job in event.jobs)
    given_up = f", {dead} of them given up as dead" if dead else ""
    data = {"event": "jobs_rescued", "jobs": [job.id for job in event.jobs[:100]]}
    text = f"took back {many(len(event.jobs), 'job')} whose worker had died{given_up}"
    return logging.WARNING, text, data


def _jobs_mended(event: e.JobsMended) -> Line:
    ids = [job.id for job in event.jobs[:100]]
    text = (
        f"mended {many(len(event.jobs), 'job')} that waited for what had ended "
        f"({', '.join(ids[:3])}{', ...' if len(event.jobs) > 3 else ''}): please report what "
        f"happened to their runs"
    )
    return logging.ERROR, text, {"event": "jobs_mended", "jobs": ids}


def _jobs_pruned(event: e.JobsPruned) -> Line:
    return logging.DEBUG, f"pruned {many(event.jobs, 'old job')}", {"event": "jobs_pruned"}


def _store_migrated(event: e.StoreMigrated) -> Line:
    data = {"event": "store_migrated", "migrations": list(event.migrations)}
    return logging.INFO, f"migrated {event.url}: {', '.join(event.migrations)}", data


def _store_failed(event: e.StoreFailed) -> Line:
    data = {"event": "store_failed", "doing": event.doing, "pid": os.getpid()}
    text = f"process {os.getpid()} could not {_plain(event.doing)}: {event.error}; trying again"
    return logging.ERROR, text, data


def _store_recovered(event: e.StoreRecovered) -> Line:
    data = {"event": "store_recovered", "doing": event.doing, "pid": os.getpid()}
    text = f"process {os.getpid()} can {_plain(event.doing)} again: the store works"
    return logging.INFO, text, data


def _plain(doing: str) -> str:
    """What a process does with its store, in words that need no page."""
    duty, _, name = doing.partition(" ")
    if duty == "schedule" and name:
        return f"fire schedule {name!r}"
    return _DOING.get(doing, f"do its {doing!r}")


_DOING = {
    "claim": "claim jobs",
    "settle": "store the outcomes of jobs",
    "extend": "renew the leases of jobs",
    "release": "take back the jobs of a process that ended",
    "rescue": "take back the jobs of dead workers",
    "schedule": "fire schedules",
    "recount": "count again what jobs wait for",
    "prune": "delete old jobs",
    "relay": "publish what is due in the outbox",
    "recycle": "look how much memory it takes",
}


def _duty_failed(event: e.DutyFailed) -> Line:
    data = {"event": "duty_failed", "duty": event.duty, "pid": os.getpid()}
    text = f"process {os.getpid()} could not {_plain(event.duty)}: {event.error!r}; trying again"
    return logging.ERROR, text, data


def _jobs_published(event: e.JobsPublished) -> Line:
    data = {"event": "jobs_published", "jobs": [job.id for job in event.jobs[:100]]}
    return logging.DEBUG, f"published {many(len(event.jobs), 'message')}", data


def _publish_failed(event: e.PublishFailed) -> Line:
    data = {"event": "publish_failed", "jobs": [job.id for job in event.jobs[:100]]}
    why = "" if event.error is None else f": {type(event.error).__name__}: {event.error}"
    text = f"could not publish {many(len(event.jobs), 'message')}{why}; trying again"
    return logging.WARNING, text, data


DUTIES: dict[type[e.Event], Callable[[Any], Line]] = {
    e.ScheduleFired: _schedule_fired,
    e.JobsRescued: _jobs_rescued,
    e.JobsMended: _jobs_mended,
    e.JobsPruned: _jobs_pruned,
    e.JobsPublished: _jobs_published,
    e.PublishFailed: _publish_failed,
    e.StoreMigrated: _store_migrated,
    e.StoreFailed: _store_failed,
    e.StoreRecovered: _store_recovered,
    e.DutyFailed: _duty_failed,
}
"""What renders each kind of event."""
