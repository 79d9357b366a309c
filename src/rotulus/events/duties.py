"""Events beside the jobs: schedules fire, jobs are rescued and pruned, the store fails."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._text.words import many
from rotulus.events.event import Event


@dataclass(frozen=True)
class ScheduleFired(Event, level=logging.INFO):
    """An instant of a schedule became a job."""

    schedule: str
    instant: datetime
    job_id: str

    def line(self) -> str:
        """Which instant it was, and which job."""
        at = f"{self.instant:%Y-%m-%d %H:%M{':%S' * bool(self.instant.second)}}Z"
        return f"fired {self.schedule} for {at} as {self.job_id}"

    def data(self) -> dict[str, Any]:
        """Returns the schedule, and the job."""
        return {"schedule": self.schedule, "job": self.job_id}


@dataclass(frozen=True)
class ScheduleSkipped(Event, level=logging.INFO):
    """An instant of a schedule became no job, as an earlier one of the schedule has not ended."""

    schedule: str
    instant: datetime

    def line(self) -> str:
        """Which instant it was."""
        at = f"{self.instant:%Y-%m-%d %H:%M{':%S' * bool(self.instant.second)}}Z"
        return f"left out {self.schedule} for {at}: an earlier job of it has not ended"

    def data(self) -> dict[str, Any]:
        """Returns the schedule."""
        return {"schedule": self.schedule}


@dataclass(frozen=True)
class WebhookMissed(Event, level=logging.ERROR):
    """Changes are missing of which a webhook should have been told."""

    webhook: str

    def line(self) -> str:
        """Which webhook it is, and what to do."""
        return (
            f"webhook {self.webhook} has missed events: nobody has read the changes for too long, "
            f"or there were too many; look how things stand"
        )

    def data(self) -> dict[str, Any]:
        """Returns the webhook."""
        return {"webhook": self.webhook}


@dataclass(frozen=True)
class WebhookPaused(Event, level=logging.ERROR):
    """A webhook is told of nothing more, until somebody resumes it."""

    webhook: str
    why: str

    def line(self) -> str:
        """Which webhook it is, why, and what to do."""
        return (
            f"paused webhook {self.webhook}: {self.why}; 'rotulus webhook resume {self.webhook}' "
            f"lets it go on"
        )

    def data(self) -> dict[str, Any]:
        """Returns the webhook."""
        return {"webhook": self.webhook}


@dataclass(frozen=True)
class JobsRescued(Event, level=logging.WARNING):
    """Jobs whose worker had died were taken back."""

    jobs: Sequence[JobRecord]

    def line(self) -> str:
        """Returns how many they are, and how many of them are dead."""
        dead = sum(job.state == State.DEAD for job in self.jobs)
        given_up = f", {dead} of them given up as dead" if dead else ""
        return f"took back {many(len(self.jobs), 'job')} whose worker had died{given_up}"

    def data(self) -> dict[str, Any]:
        """Returns the jobs."""
        return {"jobs": _ids(self.jobs)}


@dataclass(frozen=True)
class JobsMended(Event, level=logging.ERROR):
    """Jobs that waited for what had ended long ago were mended: a fault, and the table is whole."""

    jobs: Sequence[JobRecord]

    def line(self) -> str:
        """Returns how many they are, and the first of them."""
        first = ", ".join(job.id for job in self.jobs[:3])
        return (
            f"mended {many(len(self.jobs), 'job')} that waited for what had ended "
            f"({first}{', ...' if len(self.jobs) > 3 else ''}): please report what happened to "
            f"their runs"
        )

    def data(self) -> dict[str, Any]:
        """Returns the jobs."""
        return {"jobs": _ids(self.jobs)}


@dataclass(frozen=True)
class JobsPruned(Event, level=logging.DEBUG):
    """Old jobs were deleted."""

    jobs: int

    def line(self) -> str:
        """Returns how many they were."""
        return f"pruned {many(self.jobs, 'old job')}"


@dataclass(frozen=True)
class JobsPublished(Event, level=logging.DEBUG):
    """Messages were published that tell an endpoint that jobs are due."""

    jobs: list[JobRecord]

    def line(self) -> str:
        """Returns how many they were."""
        return f"published {many(len(self.jobs), 'message')}"

    def data(self) -> dict[str, Any]:
        """Returns the jobs."""
        return {"jobs": _ids(self.jobs)}


@dataclass(frozen=True)
class PublishFailed(Event, level=logging.WARNING):
    """Messages of jobs could not be published, and will be tried again; `error`, if it is known."""

    jobs: list[JobRecord]
    error: Exception | None

    def line(self) -> str:
        """Returns how many they were, and why."""
        why = "" if self.error is None else f": {type(self.error).__name__}: {self.error}"
        return f"could not publish {many(len(self.jobs), 'message')}{why}; trying again"

    def data(self) -> dict[str, Any]:
        """Returns the jobs."""
        return {"jobs": _ids(self.jobs)}


@dataclass(frozen=True)
class StoreMigrated(Event, level=logging.INFO):
    """The store's tables were brought up to this version."""

    url: str
    migrations: Sequence[str]

    def line(self) -> str:
        """Which store it is, and which migrations were applied."""
        return f"migrated {self.url}: {', '.join(self.migrations)}"

    def data(self) -> dict[str, Any]:
        """Returns the migrations."""
        return {"migrations": list(self.migrations)}


@dataclass(frozen=True)
class StoreFailed(Event, level=logging.ERROR):
    """The store refused something, which will be tried again."""

    doing: str
    error: Exception

    def line(self) -> str:
        """Returns the work that failed, and the reason."""
        return f"process {os.getpid()} could not {_plain(self.doing)}: {self.error}; trying again"

    def data(self) -> dict[str, Any]:
        """Returns the work that failed, and the process."""
        return {"doing": self.doing, "pid": os.getpid()}


@dataclass(frozen=True)
class LogsNotKept(Event, level=logging.ERROR):
    """The store refused lines that tasks have logged. Their jobs go on; lines may be lost."""

    error: Exception

    def line(self) -> str:
        """Returns the reason."""
        return (
            f"process {os.getpid()} could not {_plain('log')}: {self.error}; lines are lost until "
            f"it can"
        )

    def data(self) -> dict[str, Any]:
        """Returns the process."""
        return {"pid": os.getpid()}


@dataclass(frozen=True)
class StoreRecovered(Event, level=logging.INFO):
    """The store works again after failing."""

    doing: str

    def line(self) -> str:
        """Returns the work that succeeds again."""
        return f"process {os.getpid()} can {_plain(self.doing)} again: the store works"

    def data(self) -> dict[str, Any]:
        """Returns the work that succeeds again, and the process."""
        return {"doing": self.doing, "pid": os.getpid()}


@dataclass(frozen=True)
class DutyFailed(Event, level=logging.ERROR):
    """A background duty raised; it will be tried again."""

    duty: str
    error: Exception

    @property
    def raised(self) -> Exception:
        """The exception of the duty."""
        return self.error

    def line(self) -> str:
        """Which duty it is, and what it raised."""
        return f"process {os.getpid()} could not {_plain(self.duty)}: {self.error!r}; trying again"

    def data(self) -> dict[str, Any]:
        """Returns the duty, and the process."""
        return {"duty": self.duty, "pid": os.getpid()}


def _ids(jobs: Sequence[JobRecord]) -> list[str]:
    """Returns the ids of the first hundred."""
    return [job.id for job in jobs[:100]]


def _plain(doing: str) -> str:
    """Returns the work of a process with its store, in plain words."""
    duty, _, name = doing.partition(" ")
    if duty == "schedule" and name:
        return f"fire schedule {name!r}"
    return _DOING.get(doing, f"do its {doing!r}")


_DOING = {
    "claim": "claim jobs",
    "settle": "store the outcomes of jobs",
    "log": "keep what tasks log",
    "extend": "renew the leases of jobs",
    "release": "take back the jobs of a process that ended",
    "rescue": "take back the jobs of dead workers",
    "schedule": "fire schedules",
    "recount": "count again what jobs wait for",
    "prune": "delete old jobs",
    "relay": "publish what is due in the outbox",
    "changes": "read what has changed",
    "webhooks": "tell webhooks of what has changed",
    "recycle": "look how much memory it takes",
}
