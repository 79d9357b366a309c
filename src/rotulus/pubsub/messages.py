"""Messages of Pub/Sub: made of a job, and read from a push.

The data of a message is a JSON object:
`{"task_id": ..., "task_name": ..., "args": [...], "kwargs": {...}, "enqueued_at": ...}`.
`task_id` is the id of the job; a scheduled message has an id of its own that begins with
`scheduled-`, and no `enqueued_at`. `task_name` is the name of the function. The attribute `task` is
the registered name of the task. The attribute `job` is the id of the job; only messages of stored
jobs have it.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from rotulus._jobs.record import JobRecord, moment
from rotulus._text.jsontext import MAX_BYTES, MAX_DEPTH, decode
from rotulus._text.strictjson import read_strictly
from rotulus.errors import RotulusError
from rotulus.pubsub.http import PushRequest

SCHEDULED = "scheduled-"
"""The beginning of the `task_id` of a scheduled message."""

TASK = "task"
"""The attribute with the registered name of the task."""

JOB = "job"
"""The attribute with the id of the stored job of a message."""

_ROOM = 64 * 1024
"""The most bytes of an envelope beside the data."""

_DEPTH = MAX_DEPTH + 1
"""The depth of the data: the arguments of a job, and the object around them."""

_LONGEST_ID = 100
_UNWRAPPED = "x-goog-pubsub-"
"""The prefix of the headers that Pub/Sub adds when the body is the bare data."""


class Message(NamedTuple):
    """A message to publish: the data, and the attributes."""

    data: bytes
    attributes: dict[str, str]


class MessageError(RotulusError):
    """A push holds no message that can be run. The text is the answer, and has no secrets."""

    def __init__(self, text: str, envelope: "Envelope") -> None:
        super().__init__(text)
        self.envelope = envelope


@dataclass(frozen=True)
class Envelope:
    """The envelope of a message.

    Attributes:
        message_id: the id from Pub/Sub; of a push without one, a digest of its body.
        subscription: the name of the subscription, without its project; "" if it is missing.
        attributes: the attributes of the message.
        data: its data: base64 as text, or the bytes themselves if it came without an envelope.
    """

    message_id: str
    subscription: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    data: object = None


@dataclass(frozen=True)
class PushedMessage:
    """A message that has been read.

    Attributes:
        envelope: its envelope.
        task_id: the id of the job, or another that is unique to the message.
        task_name: the name of the function.
        args: the arguments by position.
        kwargs: the arguments by name.
    """

    envelope: Envelope
    task_id: str
    task_name: str
    args: list[Any]
    kwargs: dict[str, Any]

    @property
    def is_scheduled(self) -> bool:
        """Whether Cloud Scheduler published it: then each firing has the same `task_id`."""
        return self.task_id.startswith(SCHEDULED)

    @property
    def is_of_stored_job(self) -> bool:
        """Whether the message was published for a stored job."""
        return bool(self.task_id) and self.envelope.attributes.get(JOB) == self.task_id

    @property
    def registered_name(self) -> str:
        """The registered name of its task, if the message has it; else the name of the function."""
        return self.envelope.attributes.get(TASK) or self.task_name

    @property
    def key(self) -> str:
        """An identity that two deliveries of one message share, and two messages do not."""
        if self.task_id and not self.is_scheduled:
            return f"pubsub:{_short(self.task_id)}"
        return key_of(self.envelope)


def key_of(envelope: Envelope) -> str:
    """Returns an identity that two deliveries of one message share, by the id from Pub/Sub."""
    return f"pubsub:{_short(envelope.subscription)}:{_short(envelope.message_id)}"


def write_message(job: JobRecord, function_name: str) -> Message:
    """Returns the message for a job that is due.

    Args:
        job: the job.
        function_name: the name of its task's function.
    """
    kwargs = cast("dict[str, Any]", decode(job.arguments))
    args = kwargs.pop("*", [])
    kwargs |= kwargs.pop("**", {})
    payload = {
        "task_id": job.id,
        "task_name": function_name,
        "args": args,
        "kwargs": kwargs,
        "enqueued_at": moment(job.created_at).isoformat(),
    }
    return Message(_json(payload), {TASK: job.task, JOB: job.id})


def write_scheduled(unique: str, function_name: str) -> bytes:
    """Returns the data that Cloud Scheduler publishes at each firing.

    Args:
        unique: a UUID, which stays the same from firing to firing.
        function_name: the name of the task's function.
    """
    task_id = SCHEDULED + unique
    return _json({"task_id": task_id, "task_name": function_name, "args": [], "kwargs": {}})


def most_bytes(max_bytes: int = MAX_BYTES) -> int:
    """Returns the most bytes of the body of a push.

    Args:
        max_bytes: how large the arguments of a job may be.
    """
    return max_bytes * 4 // 3 + _ROOM


def read_push(request: PushRequest, max_bytes: int = MAX_BYTES) -> PushedMessage:
    """Returns the message of a push, with or without an envelope.

    Args:
        request: the push.
        max_bytes: how large the arguments of a job may be, in bytes.

    Raises:
        MessageError: there is no message in it; the text names the problem, and no more.
    """
    if len(request.body) > most_bytes(max_bytes):
        raise MessageError("Message too large", Envelope(_digest(request.body)))
    envelope = _unwrapped(request) if request.value(_UNWRAPPED + "message-id") else None
    return _read_data(envelope or _read_envelope(request.body))


def _read_envelope(body: bytes) -> Envelope:
    digest = Envelope(_digest(body))
    try:
        document = read_strictly(body.decode())
    except ValueError:  # of either
        raise MessageError("Invalid JSON", digest) from None
    message = _get(document, "message")
    if not isinstance(message, dict):
        raise MessageError("Invalid message format", digest)
    fields = cast("dict[str, Any]", message)
    message_id = fields.get("messageId", fields.get("message_id"))
    subscription = _get(document, "subscription")
    attributes = fields.get("attributes")
    return Envelope(
        message_id if isinstance(message_id, str) and message_id else digest.message_id,
        subscription.rpartition("/")[2] if isinstance(subscription, str) else "",
        _texts(cast("dict[str, Any]", attributes)) if isinstance(attributes, dict) else {},
        fields.get("data"),
    )


def _unwrapped(request: PushRequest) -> Envelope:
    headers = {name.lower(): value for name, value in request.headers}
    return Envelope(
        headers[_UNWRAPPED + "message-id"],
        headers.get(_UNWRAPPED + "subscription-name", "").rpartition("/")[2],
        headers,
        request.body,
    )


def _read_data(envelope: Envelope) -> PushedMessage:
    decoded = _decoded(envelope)
    if not isinstance(decoded, dict):
        raise MessageError("Invalid message format", envelope)
    data = cast("dict[str, Any]", decoded)
    args, kwargs = data.get("args", []), data.get("kwargs", {})
    task_id, name = data.get("task_id") or "", data.get("task_name")
    if not (isinstance(args, list) and isinstance(kwargs, dict) and isinstance(task_id, str)):
        raise MessageError("Invalid message format", envelope)
    if not isinstance(name, str) or not name:
        raise MessageError("Missing task_name", envelope)
    return PushedMessage(
        envelope, task_id, name, cast("list[Any]", args), cast("dict[str, Any]", kwargs)
    )


def _decoded(envelope: Envelope) -> Any:
    data = envelope.data
    if not data:
        raise MessageError("Missing data field", envelope)
    try:
        if isinstance(data, bytes):
            return read_strictly(data.decode(), _DEPTH)
        if isinstance(data, str):
            return read_strictly(base64.b64decode(data, validate=True).decode(), _DEPTH)
    except ValueError:  # of each of the three
        pass
    raise MessageError("Invalid message data", envelope)


def _json(payload: object) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _get(document: Any, name: str) -> Any:
    return cast("dict[str, Any]", document).get(name) if isinstance(document, dict) else None


def _texts(attributes: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if isinstance(value, str)}


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _short(text: str) -> str:
    """Returns a text that may be part of a key, and that stands for this text only."""
    if len(text) <= _LONGEST_ID and text.isascii() and text.isprintable():
        return text
    return "sha256-" + _digest(text.encode(errors="surrogatepass"))
