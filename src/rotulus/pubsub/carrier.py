"""Publishes a message for each job that is due: to the topic of its route."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any, NamedTuple

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublishRequest

from rotulus import Published, PushPlan, PushWanted, TaskRegistry
from rotulus import Retry as RetryPolicy
from rotulus._forking import follow_forks
from rotulus._jobs.record import JobRecord
from rotulus._time.clock import monotonic
from rotulus.errors import ConfigurationError, OptionError, RotulusError
from rotulus.pubsub import names
from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.messages import write_message
from rotulus.pubsub.provision import describing
from rotulus.pubsub.route import QUEUE, TaskRoute, check_single
from rotulus.pubsub.settings import PubSubSettings

DEADLINE = 5.0
"""Seconds for publishing: an enqueue waits for it."""

_MOST = 1000
_LARGEST = 9_000_000
"""The most messages of one call, and the most bytes. Google takes 10 MB."""

_OVERHEAD = 200
"""The most bytes of a message beside its data."""

_AT_ONCE = 8
"""The most topics that are published to at once."""


_WRAPPER: Any = PublishRequest
_REQUEST: Any = _WRAPPER.pb()
"""The protobuf message itself: filling it takes a tenth of the time of its wrapper."""


class _Batch(NamedTuple):
    """A call that publishes messages, and the jobs of the messages."""

    request: Any
    ids: list[str]


class PubSubCarrier:
    """Carries jobs by Google Pub/Sub: `app.carry(PubSubCarrier(routes))`.

    It keeps no messages and no threads, so there is nothing to close or to lose: a message that
    could not be published stays in the outbox of the store. Connections are made with the first
    message, and anew in a forked process.

    Args:
        routes: the routes of the tasks that are carried.
        settings: the settings with the project and the names; unless given, those of the
            environment, read at their first use.
        deadline: the most seconds of one call of `publish`.
        publishes: called at each `publish`. While it returns false, as in tests that run jobs
            themselves, messages count as published, and none leaves this process.

    Raises:
        OptionError: two routes have one task or path, or the deadline is not above 0.
    """

    queue = QUEUE

    def __init__(
        self,
        routes: Sequence[TaskRoute],
        settings: PubSubSettings | None = None,
        *,
        deadline: float = DEADLINE,
        publishes: Callable[[], bool] = lambda: True,
    ) -> None:
        if not 0 < deadline < float("inf"):
            raise OptionError(f"deadline={deadline!r} is not allowed: give seconds above 0")
        self.routes = tuple(routes)
        check_single(self.routes)
        self._by_task = {route.task_name: route for route in self.routes}
        self._own_settings = settings
        self._deadline = deadline
        self._publishes = publishes
        self._forget_connections()
        follow_forks(self._forget_connections)

    @property
    def settings(self) -> PubSubSettings:
        """The settings. Raises `OptionError` if the environment has a wrong value."""
        if self._settings is None:
            self._settings = self._own_settings or PubSubSettings.from_env()
        return self._settings

    def carries(self, task_name: str) -> bool:
        """Returns whether a task has a route."""
        return task_name in self._by_task

    def retry(self, task_name: str) -> RetryPolicy | None:
        """Returns the policy for a task without one: an attempt for each delivery of its route."""
        return self._by_task[task_name].retry

    def wanted(self, registry: TaskRegistry, lease: float) -> PushWanted:
        """Returns the resources that its routes want. Google is not asked.

        Args:
            registry: the tasks.
            lease: seconds after which the app gives up a process that hangs.
        """
        return describing.wanted(self.routes, lambda: self.settings, registry, lease)

    def planned(self, registry: TaskRegistry, lease: float, seconds: float) -> PushPlan:
        """Returns how what is at Google differs from what its routes want.

        Args:
            registry: the tasks.
            lease: seconds after which the app gives up a process that hangs.
            seconds: after so many seconds, what was not looked at is a problem.

        Raises:
            ConfigurationError: a setting or the credentials are missing.
        """
        return describing.planned(self.routes, self.settings, registry, lease, seconds)

    def publish(self, jobs: Sequence[JobRecord]) -> Published:
        """Publish a message for each job, by a call for each topic.

        Args:
            jobs: the jobs, each of a task that is carried.

        Returns:
            The ids of the jobs with a published message, and the reasons why the others have none.

        Raises:
            ConfigurationError: a setting is missing, or this machine has no credentials.
        """
        if not self._publishes():
            return Published([job.id for job in jobs])
        self.settings.require("project_id")
        known = [job for job in jobs if job.task in self._by_task]
        end = monotonic() + self._deadline
        batches = list(self._batches(known))
        if len(batches) == 1:
            results = [self._send(batches[0], end)]
        else:
            with ThreadPoolExecutor(_AT_ONCE, "rotulus-publish") as threads:
                results = list(threads.map(self._send, batches, repeat(end)))
        if len(known) < len(jobs):
            results.append(_without_route(jobs, known))
        ids = [job_id for result in results for job_id in result.ids]
        return Published(ids, next((one.error for one in results if one.error), None))

    def close(self) -> None:
        """Close the connections; the next message makes new ones."""
        with self._lock:
            clients, self._clients = self._clients, None
        if clients is not None:
            clients.close()

    def _forget_connections(self) -> None:
        """Forget connections without touching them: after a fork they belong to the parent."""
        self._lock = threading.Lock()
        self._clients: GoogleClients | None = None
        self._settings: PubSubSettings | None = None

    def _batches(self, jobs: Sequence[JobRecord]) -> Iterator[_Batch]:
        open_batches: dict[str, _Batch] = {}
        sizes: dict[str, int] = {}
        for job in jobs:
            route = self._by_task[job.task]
            message = write_message(job, route.name)
            size = len(message.data) + _OVERHEAD
            topic = self._topic(route)
            batch = open_batches.get(topic)
            if batch and (len(batch.ids) == _MOST or sizes[topic] + size > _LARGEST):
                yield open_batches.pop(topic)
                batch = None
            if batch is None:
                batch = open_batches[topic] = _Batch(_REQUEST(topic=topic), [])
                sizes[topic] = 0
            batch.ids.append(job.id)
            batch.request.messages.add(data=message.data, attributes=message.attributes)
            sizes[topic] += size
        yield from open_batches.values()

    def _topic(self, route: TaskRoute) -> str:
        name = names.topic_name(route.path, self.settings)
        return f"projects/{self.settings.project_id}/topics/{name}"

    def _send(self, batch: _Batch, end: float) -> Published:
        """Publish the messages of one batch, until `end` of the monotonic clock."""
        left = end - monotonic()
        if left <= 0:
            return Published([], RotulusError(f"{self._deadline:g} seconds did not suffice"))
        try:
            self._connected().publisher.publish(
                request=_WRAPPER.wrap(batch.request),
                retry=Retry(initial=0.1, maximum=1.0, timeout=left),
                timeout=left,
            )
        except NotFound:
            error = RotulusError(
                f"There is no topic {batch.request.topic}: 'rotulus gcp apply' makes it"
            )
            return Published([], error)
        except (GoogleAPIError, GoogleAuthError) as error:
            return Published([], error)
        return Published(batch.ids)

    def _connected(self) -> GoogleClients:
        with self._lock:
            if self._clients is None:
                self._clients = GoogleClients.of(self.settings)
            return self._clients


def _without_route(jobs: Sequence[JobRecord], known: Sequence[JobRecord]) -> Published:
    """Returns the result for jobs whose task has no route any more: nothing is published."""
    tasks = sorted({job.task for job in jobs} - {job.task for job in known})
    error = ConfigurationError(
        f"There is no route for task {', '.join(map(repr, tasks))}, which has jobs in queue "
        f"{QUEUE!r}: give the task a TaskRoute again, or cancel its jobs"
    )
    return Published([], error)
