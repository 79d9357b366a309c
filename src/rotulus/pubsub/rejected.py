"""Keeps messages that nobody can run, each once, as dead jobs: for people to look at, and retry."""

import os
import random
import socket
from datetime import timedelta
from typing import NamedTuple, Self

from rotulus._jobs.outcome import ErrorInfo, dead
from rotulus._jobs.states import Reason, State
from rotulus._tasks.arguments import unchecked_payload
from rotulus._text.ids import Ids
from rotulus._text.jsontext import encode
from rotulus._text.names import check_task_name
from rotulus._time.clock import SystemClock
from rotulus.errors import ArgumentsError, OptionError
from rotulus.pubsub.http import PushRequest
from rotulus.pubsub.messages import PushedMessage
from rotulus.pubsub.routing import QUEUE
from rotulus.store import NewJob, Store, Terms, Wanted

UNREADABLE = "pubsub.unreadable"
"""The task of messages that do not even say which task they are of."""

_WINDOW = timedelta(days=7).total_seconds()
"""Seconds for which a message is known again: Pub/Sub keeps messages for a week at most."""

_LEASE = 30.0
_MOST_CHARACTERS = 64 * 1024
_new_id = Ids(SystemClock().now, random.SystemRandom())


class Rejected(NamedTuple):
    """A message that nobody can run.

    Attributes:
        key: what tells it from others.
        task: the name of its task.
        arguments: what it says, as the JSON text of a job's arguments.
        reason: why nobody can run it.
        error: what is wrong, in a sentence.
    """

    key: str
    task: str
    arguments: str
    reason: Reason
    error: str

    @classmethod
    def unreadable(cls, key: str, request: PushRequest, error: str) -> Self:
        """What holds no message. Its body is kept, shortened."""
        text = request.body.decode(errors="replace")[:_MOST_CHARACTERS]
        return cls(key, UNREADABLE, encode({"body": text}), Reason.CORRUPT, error)

    @classmethod
    def unfit(
        cls, message: PushedMessage, request: PushRequest, task: str, reason: Reason, error: str
    ) -> Self:
        """A message of a task that is not known, or whose arguments do not fit it."""
        try:
            arguments = unchecked_payload(message.args, message.kwargs, len(request.body) + 100)
            return cls(message.key, check_task_name(task), arguments, reason, error)
        except (ArgumentsError, OptionError):
            return cls.unreadable(message.key, request, error)


def keep_rejected(store: Store, rejected: Rejected) -> bool:
    """Keep a message, unless it is kept already.

    Returns:
        Whether it is kept. It is not if somebody else is about to, who may be killed before that is
        done, or while its queue is paused: then the message has to come again.

    Raises:
        StoreError: the store cannot be used.
    """
    terms = Terms(rejected.task, queue=QUEUE, window=_WINDOW)
    # A key of its own: a version that knows the task may get the message next, and runs it then.
    key = f"rejected:{rejected.key}"
    [job] = store.add([NewJob(_new_id(), rejected.arguments, terms, key)])
    if State(job.state).ended:
        return True
    wanted = Wanted(f"{socket.gethostname()}.{os.getpid()}.push", ids=[job.id])
    error = ErrorInfo("RejectedMessage", rejected.error)
    for claimed in store.claim(wanted, 1, _LEASE):
        return not store.settle([dead(claimed.id, claimed.attempt, rejected.reason, error)])
    return False
