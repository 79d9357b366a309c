"""Asks a service as a server would, with requests that no client makes, and holds its answers to
what a service promises."""

import asyncio
import json
from contextlib import suppress
from typing import NamedTuple

PROBLEM = ("type", "title", "status", "detail", "code")
ENVELOPE = {"task_name", "params", "result", "error"}
PATIENCE = 20


class Answer(NamedTuple):
    """What a service has answered: its status, its headers, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self):
        """The JSON of the body."""
        return json.loads(self.body)


class Said:
    """What comes from a client: its body in two parts, and then that it has gone."""

    def __init__(self, body, whole):
        half = len(body) // 2
        self._messages = [{"type": "http.request", "body": body[:half], "more_body": True}]
        if whole:
            self._messages.append({"type": "http.request", "body": body[half:], "more_body": False})

    async def receive(self):
        """The next message."""
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}


def scope_of(app, sent):
    """The scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": sent.path.decode("utf-8", "replace"),
        "raw_path": sent.path,
        "query_string": sent.query,
        "root_path": "",
        "headers": sent.headers,
        "client": ("testclient", 1),
        "server": ("testserver", 80),
        "state": {},
        "app": app,
    }


async def ask(app, sent):
    """The answer to a request; an error, unless it comes soon."""
    messages = []

    async def send(message):
        messages.append(message)

    async with asyncio.timeout(PATIENCE):
        with suppress(Exception):  # the server logs what comes of it; the answer is what counts
            await app(scope_of(app, sent), Said(sent.body, sent.whole).receive, send)
    start = messages[0]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(start["status"], headers, body)


def complaint(answer, method="GET", path=b""):
    """What is wrong with an answer; None when it is a problem, or what its route promises."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status >= 500:
        return "it is the server's fault"
    if method == "HEAD" or answer.status in (204, 304, 307):
        return None
    if answer.status >= 400:
        return _no_problem(answer, kind)
    if kind == "application/json":
        told = answer.told
        if path.endswith(b"/$execute") and set(told) != ENVELOPE:
            return f"it is no envelope: {sorted(told)}"
    return None


def _no_problem(answer, kind):
    if kind != "application/problem+json":
        return f"it is of type {kind!r}, and no problem"
    told = answer.told
    missing = [name for name in PROBLEM if not told.get(name)]
    if missing:
        return f"the problem has no {missing}"
    if told["status"] != answer.status:
        return f"the problem says {told['status']}"
    urn, page = f"urn:rotulus:error:{told['code']}", f"api/v1/problems/{told['code']}"
    if told["type"] != urn and told["type"].replace("../", "") != page:
        return f"its type is {told['type']!r}"
    return None
