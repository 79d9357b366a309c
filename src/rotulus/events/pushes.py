"""Events of the endpoint of pushes: a push was let in or refused, and answered."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from rotulus.events.event import Event

PushKind = Literal["push", "tick"]
"""A message that names a job, or a call for the duties."""


PushVerdict = Literal["verified", "local", "refused"]
"""How its sender was known: by its token; as this machine, without a token, as an emulator has
none; or not at all: its token or its subscription is wrong."""


@dataclass(frozen=True)
class PushAnswered(Event):
    """A push, or a tick, was answered. Nothing that is told of it comes from a refused sender.

    Attributes:
        at: when it came.
        seconds: how long the answer took.
        kind: `push`, or `tick`.
        verdict: how its sender was known.
        refusal: why it was refused; None: it was let in.
        status: the HTTP status of the answer; None: the handler raised, and the framework answered.
        answer: the text of the answer.
        message_id: the id that Pub/Sub gave its message.
        subscription: the subscription that it came from, without its project.
        task: the name of its task, as far as that is known.
        job_id: its job, if it has one.
    """

    at: datetime
    seconds: float
    kind: PushKind
    verdict: PushVerdict
    refusal: str | None
    status: int | None
    answer: str
    message_id: str | None
    subscription: str | None
    task: str | None
    job_id: str | None

    def data(self) -> dict[str, Any]:
        """Returns all of it as plain data; the moment as ISO 8601 text."""
        return asdict(self) | {"at": self.at.isoformat()}
