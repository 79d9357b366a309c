"""The header `Idempotency-Key`: the same request, sent again, returns the same job.

It uses the unique keys of jobs, so a store adds one job, whatever process gets the request. The
payload is compared with that of the job that holds the key. A key counts for its sender and for one
operation, as draft-ietf-httpapi-idempotency-key-header asks for.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from rotulus import App, Job
from rotulus.errors import OptionError
from rotulus.service.principal import ANYBODY, DEPENDENCY, admission_of
from rotulus.service.problems import ProblemError

WINDOW = 24 * 60 * 60.0
"""The seconds for which a key is remembered, and longer as long as its job has not ended."""

WINDOW_HOURS = round(WINDOW / 3600)

LONGEST = 255

_NAMELESS = (DEPENDENCY, ANYBODY)
"""Principals that stand for several senders."""

_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-+\--:<-~]+")
"""Visible characters, without quotes, commas and semicolons."""


def read_idempotency_key(request: Request) -> str | None:
    """Returns the key of a request, quoted as in the draft, or bare; None when there is none.

    Raises:
        ProblemError: 400, the header is not one text of 1 to 255 characters.
    """
    headers = request.headers.getlist("idempotency-key")
    if not headers:
        return None
    text = headers[0].strip()
    quoted, bare = _QUOTED.fullmatch(text), _BARE.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if len(headers) > 1 or not (quoted or bare) or not 0 < len(key) <= LONGEST:
        raise ProblemError(
            400,
            "invalid_idempotency_key",
            "The Idempotency-Key is not a text",
            f"The request has to have one Idempotency-Key of 1 to {LONGEST} characters.",
            hint='Send a new UUID with each new request: Idempotency-Key: "8e03978e-40d5-..."',
        )
    return key


def scope_of(request: Request) -> str:
    """Returns the sender of a request: no sender finds the job of another by a key.

    That is the name of its principal, so a sender may use another token of that name, or log in
    anew. Senders whom a dependency of the user's has let in without a name are told apart by
    `request.state.principal`, which the dependency may set, else by the credentials of the request.
    """
    admission = admission_of(request.scope)
    if admission is not None and admission.principal not in _NAMELESS:
        return f"sender {admission.principal.name}"
    principal = getattr(request.state, "principal", None)
    if principal is not None:
        return f"principal {principal}"
    shown = (request.headers.get(name, "") for name in ("authorization", "cookie", "x-api-key"))
    return "shown " + json.dumps(list(shown))


async def enqueue_once(
    app: App,
    task: str,
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    key: str,
    scope: str,
) -> tuple[Job[Any], bool]:
    """Enqueue a task, once for each key. Returns the job, and whether it was there before.

    If a task has a unique key of its own, that key counts.

    Args:
        app: where the job is stored.
        task: the name of the task.
        arguments: its arguments.
        options: of the enqueue; see `UsingOptions`.
        key: the key of the client; see `read_idempotency_key`.
        scope: the sender; see `scope_of`.

    Raises:
        ProblemError: 422, the key was used for another payload.
        OptionError: the options hold a key, too.
        ArgumentsError: the arguments do not fit the task.
        TaskNotFoundError: there is no such task.
        StoreError: the job could not be stored.
    """
    if options.get("key") is not None:
        raise OptionError("key: give a key or the header Idempotency-Key, not both")
    if app.registry.get(task).options.key is not None:
        job = await app.using(**options).aenqueue(task, **arguments)
        return job, job.existed
    once: dict[str, Any] = {"key": _stored(task, key, scope), "window": WINDOW}
    job = await app.using(**{**options, **once}).aenqueue(task, **arguments)
    if job.existed and not job.as_asked:
        raise ProblemError(
            422,
            "idempotency_key_reused",
            "The Idempotency-Key was used before",
            f"Within the last {WINDOW_HOURS} hours this key was sent with another payload for "
            f"{task!r}.",
            hint="Send a new key with each new request, and the same key only to repeat it.",
        )
    return job, job.existed


def _stored(task: str, key: str, scope: str) -> str:
    """Returns the unique key of the job, with a hash that hides the client's key and the scope."""
    text = json.dumps([scope, "enqueue", task, key])
    return f"idempotency:{task}:{hashlib.sha256(text.encode()).hexdigest()}"
