"""`ServedApp`: an app that a service serves elsewhere, with the nouns of `App`, for commands."""

from types import SimpleNamespace
from typing import Any, cast

from rotulus import Job
from rotulus.client.access import Tokens
from rotulus.client.failures import Failures
from rotulus.client.groups import Groups
from rotulus.client.jobs import Jobs
from rotulus.client.limits import Limits
from rotulus.client.queues import Queues, Workers
from rotulus.client.runs import Runs
from rotulus.client.schedules import Schedules
from rotulus.client.served.handles import ServedHandles, ServedJob
from rotulus.client.served.jobs import ServedJobs, ServedRuns
from rotulus.client.served.nouns import (
    ServedAudit,
    ServedFailures,
    ServedQueues,
    ServedSchedules,
    ServedWebhooks,
    ServedWorkers,
)
from rotulus.client.served.store import ServedStore
from rotulus.client.served.tasks import ServedRegistry, ServedSender, refuse_unchecked
from rotulus.client.stats import Stats
from rotulus.client.tasks import EnqueueOptions, Sender
from rotulus.client.wire import Wire
from rotulus.config import Setting
from rotulus.errors import GroupClosedError


class ServedApp:
    """An app that a service serves: what commands ask of an `App`, by requests.

    It has the nouns of `App`, and their jobs are handles as those of an `App`. What needs the code
    of tasks, or the tables of a store, it has not.

    Args:
        url: the address of the service.
        token: its bearer token; "" for none.

    Attributes:
        jobs: its jobs; and so on for the nouns of `App`.
        store: what else commands ask a store for.
        registry: its tasks.
        settings: where it is.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._wire = wire = Wire(url, token, timeout=30.0, retries=2)
        schedules, workers = Schedules(wire), ServedWorkers(Workers(wire))
        self._handles = handles = ServedHandles(Jobs(wire), wire.url)
        self.jobs = ServedJobs(Jobs(wire), handles)
        self.runs = ServedRuns(Runs(wire), handles)
        self.queues = ServedQueues(Queues(wire))
        self.limits = Limits(wire)
        self.workers = workers
        self.schedules = ServedSchedules(schedules, handles)
        self.failures = ServedFailures(Failures(wire), handles)
        self.stats = Stats(wire, schedules)
        self.tokens = Tokens(wire)
        self.audit = ServedAudit(wire)
        self.webhooks = ServedWebhooks(wire)
        self.registry = ServedRegistry(wire)
        self.provider = SimpleNamespace(schedule={})
        self.store = ServedStore(wire, workers, schedules)
        self.settings = {"url": Setting(wire.url, "argument")}

    def close(self) -> None:
        """Close its connections."""
        self._wire.close()

    def get(self, job_id: str) -> ServedJob:
        """Returns a job, by its id or a beginning of it. Raises `JobNotFoundError`."""
        return self._handles.get(job_id)

    def using(self, *, unchecked: bool = False, **options: Any) -> ServedSender:
        """Enqueue with options."""
        refuse_unchecked(unchecked)
        sender = Sender(self._wire, cast("EnqueueOptions", options), None)
        return ServedSender(sender, self.registry, self._handles)

    def group(self, name: str) -> "ServedGroup":
        """Returns the last group of a name, to be closed."""
        return ServedGroup(name, Groups(self._wire), self._handles)


class ServedGroup:
    """A group of a service.

    Args:
        name: its name.
        groups: the groups of a client.
        handles: makes a handle of its callback.
    """

    def __init__(self, name: str, groups: Groups, handles: ServedHandles) -> None:
        self._name, self._groups, self._handles = name, groups, handles

    def open(self) -> "ServedGroup":
        """Go on with it. Raises `GroupNotFoundError`, and `GroupClosedError` if it is closed."""
        if not self._groups.get(self._name).open:
            raise GroupClosedError(f"Group {self._name!r} is closed")
        return self

    def close(self) -> Job[Any]:
        """Let nobody add jobs any more; returns the job of the callback."""
        return self._handles.get(self._groups.close(self._name).job.id)
