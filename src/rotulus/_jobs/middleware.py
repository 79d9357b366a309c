"""Middleware: code of the program that surrounds every enqueue and attempt of every task."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import MappingProxyType
from typing import Any

from rotulus._jobs.job import Job
from rotulus._jobs.labels import (
    Attached,
    check_headers,
    check_labels,
    read_texts,
    united,
    write_texts,
)
from rotulus._jobs.outcome import Outcome, outcome_word
from rotulus._jobs.states import State
from rotulus._text import jsontext

ContextManager = AbstractContextManager[Any] | AbstractAsyncContextManager[Any]


class RunningAttempt:
    """An attempt, as middleware sees it.

    Attributes:
        job: the job as it was claimed; `progress` and `raise_if_cancelled` work.
        isolated: whether it is made in a process of its own, which may end as soon as the attempt
            has: what is to leave that process has to do so now.
        exception: what the body raised, once the attempt has ended in a failure.
    """

    __slots__ = ("_outcome", "exception", "isolated", "job")

    def __init__(self, job: Job[Any], *, isolated: bool = False) -> None:
        self.job = job
        self.isolated = isolated
        self.exception: BaseException | None = None
        self._outcome: Outcome | None = None

    def __repr__(self) -> str:
        return f"<attempt {self.number} of {self.job.task} {self.job.id}: {self.outcome}>"

    @property
    def number(self) -> int:
        """The number of the attempt, from 1."""
        return self.job.attempt

    @property
    def outcome(self) -> str:
        """The outcome in one word: `running` until the attempt has ended.

        Then `succeeded`, `failed`, `dead`, `cancelled` or `skipped`, which end the job; `retried`,
        `snoozed` or `released`, after which the job runs again; `opened`: the job waits for its
        parts. An attempt that is `lost` tells nobody: its process is gone.
        """
        return "running" if self._outcome is None else outcome_word(self._outcome)

    @property
    def state(self) -> State:
        """The state that the outcome gives the job."""
        return State.RUNNING if self._outcome is None else self._outcome.state

    @property
    def reason(self) -> str | None:
        """The reason of the outcome, such as `timeout`, if it has one."""
        return None if self._outcome is None else self._outcome.reason

    def end(self, outcome: Outcome, exception: BaseException | None) -> None:
        """Note the outcome; the engine calls this."""
        self._outcome, self.exception = outcome, exception


class PendingJob:
    """A job that is about to be stored, as middleware sees it.

    Attributes:
        id: its id.
        task: the name of its task.
        queue: the queue it will wait under.
        key: its unique key, if it has one. While another job holds the key, this one is not added.
    """

    __slots__ = ("_arguments", "_headers", "_labels", "id", "key", "queue", "task")

    def __init__(
        self, job: str, task: str, queue: str, key: str | None, arguments: str, attached: Attached
    ) -> None:
        self.id, self.task, self.queue, self.key = job, task, queue, key
        self._arguments = arguments
        self._labels, self._headers = map(read_texts, attached)

    def __repr__(self) -> str:
        return f"<pending job {self.id} of {self.task}>"

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments by parameter name, as plain JSON data."""
        return jsontext.decode(self._arguments)

    @property
    def size(self) -> int:
        """The bytes of its arguments as JSON."""
        return len(self._arguments.encode())

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels by name; `add_labels` adds some."""
        return MappingProxyType(self._labels)

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers by name; `add_headers` adds some."""
        return MappingProxyType(self._headers)

    def add_labels(self, labels: Mapping[str, str]) -> None:
        """Give it labels, beside or in the place of those that it has. Raises `OptionError`."""
        given = united(self._labels, check_labels(labels, "labels"))
        self._labels = dict(check_labels(given, "labels"))

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Give it headers, beside or in the place of those that it has. Raises `OptionError`."""
        given = united(self._headers, check_headers(headers, "headers"))
        self._headers = dict(check_headers(given, "headers"))

    @property
    def attached(self) -> Attached:
        """Its labels and headers, as they are stored."""
        return Attached(write_texts(self._labels), write_texts(self._headers))


class EnqueueCall:
    """One call that stores jobs, all or none, as middleware sees it.

    Attributes:
        jobs: the jobs that are about to be stored.
        added: the jobs of the call, once they are stored: in the place of one whose key was held,
            the job that holds it (its `existed` is true).
        exception: what the call raised, if it could not store them.
    """

    __slots__ = ("added", "exception", "jobs")

    def __init__(self, jobs: Sequence[PendingJob]) -> None:
        self.jobs = jobs
        self.added: Sequence[Job[Any]] = ()
        self.exception: BaseException | None = None

    def __repr__(self) -> str:
        return f"<enqueue of {len(self.jobs)} jobs>"


class Middleware:
    """Code around every enqueue or attempt: override a method, and hand the object to `app.use`."""

    def around_enqueue(self, call: EnqueueCall) -> ContextManager | None:
        """Returns a context manager that is entered before jobs are stored, and left after it.

        It surrounds each `enqueue` of this app, also by name, by a service or from Django; an
        `enqueue_many` once. Jobs of a schedule and steps of a run are enqueued by nobody. It is
        entered in the context of the caller, after the arguments are checked. An asynchronous one
        around an `enqueue` that is not awaited runs on an event loop of its own; where the caller
        itself runs on an event loop, it is left out.

        The context manager is never given an exception, and cannot prevent the enqueue. One that
        raises is told of in the log, and the enqueue goes on without it.

        Args:
            call: the jobs that are about to be stored, to which labels and headers can be added.
        """
        del call
        return None

    def around_attempt(self, attempt: RunningAttempt) -> ContextManager | None:
        """Returns a context manager that is entered before an attempt, and left after it.

        It is entered in the context of the body, so the body sees context variables that it sets:
        in the thread of a plain function, or on the event loop, where it must not block, of a
        coroutine function, of a step, and of a function with a timeout. An asynchronous one always
        runs on the event loop; a plain function in a thread does not see its context variables.
        Attempts of isolated tasks are surrounded in their own process, on its event loop.

        The context manager is never given the exception of the body, and cannot change the
        outcome: both are read from the attempt. One that raises is told of in the log, and the
        attempt goes on without it.

        Args:
            attempt: the attempt; its outcome is known once it has ended.
        """
        del attempt
        return None
