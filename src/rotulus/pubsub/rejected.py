"""Keeps messages that can never run, each once, as dead jobs: for people to look at, and retry."""

import os
import random
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import NamedTuple, Self

from rotulus._jobs.outcome import dead, plain_error
from rotulus._jobs.states import Reason, State
from rotulus._tasks.arguments import unchecked_payload
from rotulus._text.ids import Ids
from rotulus._text.jsontext import encode
from rotulus._text.names import check_task_name
from rotulus._time.clock import SystemClock, monotonic
from rotulus.errors import ArgumentsError, OptionError
from rotulus.pubsub.http import PushRequest
from rotulus.pubsub.messages import PushedMessage
from rotulus.pubsub.route import QUEUE
from rotulus.store import ClaimFilter, NewJob, Store, Terms

UNREADABLE = "pubsub.unreadable"
"""The task of messages that do not name their task."""

_WINDOW = timedelta(days=7).total_seconds()
"""Seconds for which a message is recognised: Pub/Sub keeps messages for a week at most."""

MOST_AN_HOUR = 1000
"""The default number of messages that a process keeps in an hour."""

_HOUR = 3600.0
_LEASE = 30.0
_MOST_CHARACTERS = 4096
"""The most characters of a body without a message; it can be looked at, and not be retried."""

_new_id = Ids(SystemClock().now, random.SystemRandom())


class Rejected(NamedTuple):
    """A message that can never run.

    Attributes:
        key: its identity.
        task: the name of its task.
        arguments: its content, as the JSON text of a job's arguments.
        reason: the reason why it can never run.
        error: the problem, in a sentence.
    """

    key: str
    task: str
    arguments: str
    reason: Reason
    error: str

    @classmethod
    def unreadable(cls, key: str, request: PushRequest, error: str) -> Self:
        """Returns the rejection of a push without a message. Its body is kept, shortened."""
        text = request.body.decode(errors="replace")[:_MOST_CHARACTERS]
        return cls(key, UNREADABLE, encode({"body": text}), Reason.CORRUPT, error)

    @classmethod
    def unfit(
        cls, message: PushedMessage, request: PushRequest, task: str, reason: Reason, error: str
    ) -> Self:
        """Returns the rejection of a message of an unknown task, or with wrong arguments."""
        try:
            arguments = unchecked_payload(message.args, message.kwargs, len(request.body) + 100)
            return cls(message.key, check_task_name(task), arguments, reason, error)
        except (ArgumentsError, OptionError):
            return cls.unreadable(message.key, request, error)


class Kept(Enum):
    """The fate of a message that can never run."""

    YES = "yes"
    """The message is kept, now or since an earlier delivery."""
    NOT_YET = "not yet"
    """Another delivery is about to keep it, and may be killed before; or its queue is paused."""
    TOO_MANY = "too many"
    """The message is not kept, because there have been too many."""


class Rejects:
    """Keeps messages that can never run, at most as many in an hour as people can look at.

    Args:
        store: opens the store.
        most: the most messages that this process keeps in an hour.
        monotonic: the clock, in seconds.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        most: int = MOST_AN_HOUR,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._most = most
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._since = self._monotonic()
        self._count = 0

    def keep(self, rejected: Rejected) -> Kept:
        """Keep a message, unless it is kept already. Raises `StoreError`."""
        if not self._has_room():
            return Kept.TOO_MANY
        terms = Terms(rejected.task, queue=QUEUE, window=_WINDOW)
        # A key of its own: a version that knows the task may get the message next, and runs it.
        key = f"rejected:{rejected.key}"
        new_id = _new_id()
        store = self._store()
        [job] = store.add([NewJob(new_id, rejected.arguments, terms, key)])
        if job.id == new_id:
            with self._lock:
                self._count += 1
        if State(job.state).ended:
            return Kept.YES
        return Kept.YES if _end(store, job.id, rejected) else Kept.NOT_YET

    def _has_room(self) -> bool:
        with self._lock:
            now = self._monotonic()
            if now >= self._since + _HOUR:
                self._since, self._count = now, 0
            return self._count < self._most


def _end(store: Store, job_id: str, rejected: Rejected) -> bool:
    """Returns whether the job of a message is dead now."""
    claim = ClaimFilter(f"{socket.gethostname()}.{os.getpid()}.push", ids=[job_id])
    error = plain_error("RejectedMessage", rejected.error)
    for claimed in store.claim(claim, 1, _LEASE):
        outcome = dead(claimed.id, claimed.attempt, rejected.reason, error)
        return not store.settle([outcome])
    return False
