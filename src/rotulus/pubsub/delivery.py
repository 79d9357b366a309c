"""One request at the endpoint of pushes: what is told of it once it has been answered."""

from types import TracebackType
from typing import Any, Self

from rotulus import AttemptResult
from rotulus._time.clock import Clock
from rotulus.errors import TokenError
from rotulus.events import Events, PushAnswered
from rotulus.pubsub.http import PushAnswer
from rotulus.pubsub.messages import MessageError, PushedMessage

_LONGEST = 300
"""The most characters of a text that is told: it may come from anywhere."""


class DeliveryNotes:
    """Notes about one request, told as `PushAnswered` at the end of a `with` block.

    Args:
        events: where it is told.
        kind: `push` or `tick`.
        verdict: how its sender is known, if it is let in: `verified` or `local`.
        clock: the time.
    """

    def __init__(self, events: Events, kind: Any, verdict: Any, clock: Clock) -> None:
        self._events = events
        self._kind, self._verdict = kind, verdict
        self._clock = clock
        self._at, self._began = clock.now(), clock.monotonic()
        self._answer: PushAnswer | None = None
        self._refusal: str | None = None
        self._told: dict[str, str | None] = {}

    def read(self, message: PushedMessage | MessageError) -> None:
        """Note what a message says, once its sender is known."""
        envelope = message.envelope
        self._told["message_id"] = envelope.message_id
        self._told["subscription"] = envelope.subscription or None
        if isinstance(message, PushedMessage):
            self._told["task"] = message.registered_name
            self._told["job_id"] = message.task_id if message.is_of_stored_job else None

    def ran(self, result: AttemptResult) -> None:
        """Note the job of the message."""
        self._told |= {"task": result.job.task, "job_id": result.job.id}

    def refused(self, error: TokenError) -> None:
        """Note why the sender is not let in."""
        self._refusal = str(error)

    def answered(self, answer: PushAnswer) -> PushAnswer:
        """Note the answer, and return it."""
        self._answer = answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        answer = self._answer
        raised = f"The handler raised {kind.__name__}" if kind else ""
        told = {name: text and text[:_LONGEST] for name, text in self._told.items()}
        push = PushAnswered(
            self._at,
            self._clock.monotonic() - self._began,
            self._kind,
            self._verdict if self._refusal is None else "refused",
            None if self._refusal is None else self._refusal[:_LONGEST],
            None if answer is None else answer.status,
            raised if answer is None else answer.text[:_LONGEST],
            told.get("message_id"),
            told.get("subscription"),
            told.get("task"),
            told.get("job_id"),
        )
        self._events.emit(push)
