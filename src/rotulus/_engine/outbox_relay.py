"""The outbox relay: publishes the messages of carried jobs after the commit of those jobs."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from rotulus._concurrency.coalescer import Coalescer, Group
from rotulus._concurrency.pool import ThreadPool
from rotulus._jobs.record import JobRecord
from rotulus._jobs.retry import Retry
from rotulus._tasks.registry import TaskRegistry
from rotulus._time.backoff import pause_after
from rotulus.errors import ConfigurationError, OptionError, StoreError
from rotulus.events import Events, JobsPublished, PublishFailed, StoreFailed
from rotulus.store import Store, Terms

LEASE = 30.0
"""Seconds for which no other process publishes a job that was taken for that, and until it is tried
again if it could not be."""

_AT_ONCE = 500
"""How many jobs a carrier is given at once at most."""

_LONGEST = 5.0
"""Seconds after which an enqueue publishes no further batch."""

_SHARE = 10_000
"""How many enqueues share a look into the outbox at most."""

_RELAYS = ThreadPool("rotulus-relay", 2)
"""Where messages of coroutines are published, which may take a while."""


class Published(NamedTuple):
    """The result of publishing.

    Attributes:
        ids: the jobs whose messages are out.
        error: why those of the others are not; None: all are, or that is not known.
    """

    ids: Sequence[str]
    error: Exception | None = None


class Carrier(Protocol):
    """Takes messages to an endpoint that runs jobs: each says that one job is due."""

    @property
    def queue(self) -> str:
        """The queue in which its jobs wait: a private one, whose name begins with `_`."""
        ...

    def carries(self, task_name: str) -> bool:
        """Returns whether it carries the jobs of a task. Called at each enqueue: be quick."""
        ...

    def retry(self, task_name: str) -> Retry | None:
        """Returns the retry policy of a task that has none; None: that of the app.

        The service that delivers messages decides when an attempt is repeated, and how often.
        """
        ...

    def publish(self, jobs: Sequence[JobRecord]) -> Published:
        """Publish a message for each job; it comes to an end within some seconds.

        A message may be published twice: its receiver asks for the job by its id. When this raises,
        none was published.
        """
        ...


class OutboxRelay:
    """Publishes the messages of jobs that a carrier takes to an endpoint, if the app has a carrier.

    Args:
        store: opens the store.
        registry: the tasks of this process: only messages of these are published.
        events: where publishing is told.
        monotonic: the clock, in seconds.
        chance: random numbers from 0 to 1.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        registry: TaskRegistry,
        events: Events,
        monotonic: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._registry = registry
        self._events = events
        self._monotonic = monotonic
        self._chance = chance
        self._carrier: Carrier | None = None
        self._patience = 0.0
        self._failures = 0
        self._quiet_until = float("-inf")
        how = (lambda: math.inf), "The outbox", _SHARE, _RELAYS
        self._relays: Coalescer[None, None] = Coalescer(
            self._relay_together, self._relay_together, *how
        )

    @property
    def carrier(self) -> Carrier | None:
        """The carrier, which publishes the messages; None: there is none."""
        return self._carrier

    @property
    def queue(self) -> str | None:
        """The queue of the jobs that are carried; None: none are."""
        return None if self._carrier is None else self._carrier.queue

    def begin(self, carrier: Carrier, patience: float) -> None:
        """Have a carrier from now on. Raises `OptionError`."""
        if self._carrier is not None and self._carrier is not carrier:
            raise OptionError(
                f"This app has a carrier already, for queue {self._carrier.queue!r}: an app has one"
            )
        if not carrier.queue.startswith("_"):
            raise OptionError(
                f"The queue of a carrier is private, and its name begins with _: {carrier.queue!r} "
                f"would be served by every worker"
            )
        self._carrier, self._patience = carrier, patience

    def carries(self, task_name: str) -> bool:
        """Returns whether jobs of a task are carried."""
        return self._carrier is not None and self._carrier.carries(task_name)

    def retry(self, task_name: str) -> Retry | None:
        """Returns the retry policy that a carried task has unless it has one of its own."""
        if self._carrier is None or not self._carrier.carries(task_name):
            return None
        return self._carrier.retry(task_name)

    def terms(self, terms: Terms) -> Terms:
        """Returns the terms of jobs, which wait for their carrier if they have one."""
        if self._carrier is None or not self._carrier.carries(terms.task):
            return terms
        return terms._replace(queue=self._carrier.queue, carried=True)

    def relay(self, limit: int, events: Events | None = None) -> int:
        """Publish what is due in the outbox, of the tasks that are known and carried here.

        Args:
            limit: at most so many messages.
            events: where it is told; where this relay tells, unless given.

        Returns:
            How many messages are out.

        Raises:
            StoreError: the store cannot be used.
        """
        if self._carrier is None:
            return 0
        carrier, done = self._carrier, 0
        names = self._carried_here(carrier)
        while done < limit:
            batch = min(_AT_ONCE, limit - done)
            outbox = self._store().outbox
            jobs = outbox.take(carrier.queue, batch, LEASE, self._patience, names)
            if not jobs:
                break
            out = self._publish(carrier, jobs, events or self._events)
            if out:
                outbox.published(out, self._patience)
            done += len(out)
            if len(out) < len(jobs) or len(jobs) < batch:
                break
        return done

    def tell_left(self, events: Events) -> None:
        """Tell of jobs in the carrier's queue that are not published, each once in its patience.

        Their task has no carrier any more, or one that has been away for so long.

        Raises:
            StoreError: the store cannot be used.
        """
        if self._carrier is None:
            return
        queue, names = self._carrier.queue, self._carried_here(self._carrier)
        jobs = self._store().outbox.take_left(queue, _AT_ONCE, self._patience, names)
        if jobs:
            events.emit(PublishFailed(jobs, self._left(jobs)))

    def relay_added(self) -> None:
        """Publish the jobs that were just added, after their commit. It never raises.

        Calls that come at the same time share it. After a failure nothing is tried for a while, or
        each enqueue would wait for it.
        """
        try:
            # Always the same function: for one that waits for the commit already, none is added.
            self._store().outbox.on_commit(self._relay_once)
        except StoreError as error:
            self._events.emit(StoreFailed("relay", error))

    async def arelay_added(self) -> None:
        """Do the same for jobs that coroutines have added, which have been committed."""
        await self._relays.arun(None)

    def received(self, ids: Sequence[str]) -> None:
        """Take note that messages of jobs have come, so that none need be published now."""
        if ids:
            self._store().outbox.published(ids, self._patience, taken=False)

    def send_again(self, jobs: Sequence[JobRecord]) -> None:
        """Publish jobs once more that have been sent back, or wait for a later moment."""
        ids = [job.id for job in jobs if job.queue == self.queue]
        if ids:
            self._store().outbox.republish(ids)
            self.relay_added()

    def _carried_here(self, carrier: Carrier) -> list[str]:
        return list(filter(carrier.carries, self._registry.list_all()))

    def _left(self, jobs: Sequence[JobRecord]) -> ConfigurationError:
        tasks = ", ".join(sorted({repr(job.task) for job in jobs}))
        return ConfigurationError(
            f"Nobody has carried jobs of {tasks} in queue {jobs[0].queue!r} for "
            f"{self._patience:g} seconds: start a service that carries them, have a worker serve "
            f"the queue, or cancel them"
        )

    def _relay_once(self) -> None:
        self._relays.run(None)

    def _relay_together(self, group: Group[None]) -> list[None]:
        self._relay_quietly()
        return [None for _ in group.works]

    def _relay_quietly(self) -> None:
        """Publish the due messages, but not for long."""
        began = self._monotonic()
        if began < self._quiet_until:
            return
        try:
            while self.relay(_AT_ONCE) == _AT_ONCE and self._monotonic() < began + _LONGEST:
                pass
        except StoreError as error:
            self._events.emit(StoreFailed("relay", error))

    def _publish(self, carrier: Carrier, jobs: Sequence[JobRecord], events: Events) -> list[str]:
        """Returns the jobs whose messages are out."""
        try:
            ids, error = carrier.publish(jobs)
            out = set(ids)
        except Exception as problem:  # noqa: BLE001 - a carrier may raise or answer anything
            out, error = set[str](), problem
        left = [job for job in jobs if job.id not in out]
        if left:
            self._failures += 1
            self._quiet_until = self._monotonic() + pause_after(self._failures, self._chance())
            events.emit(PublishFailed(left, error))
        else:
            self._failures = 0
        if out and events.wants(JobsPublished):
            events.emit(JobsPublished([job for job in jobs if job.id in out]))
        return [job.id for job in jobs if job.id in out]
