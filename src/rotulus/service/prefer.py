"""The header `Prefer` (RFC 7240): whether a request waits for its job, and for how long."""

import asyncio
import re
from typing import Any, NamedTuple

from starlette.requests import Request

from rotulus import Job

LONGEST_WAIT = 60.0
"""The longest wait of a request, in seconds."""

_SHORTEST_LOOK = 0.005
_LONGEST_LOOK = 0.25

_PREFERENCE = re.compile(r'([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;"]+)))?\s*(?:;[^,]*)?(?:,|$)')


class Prefer(NamedTuple):
    """The preferences of a request.

    Attributes:
        wait: seconds to wait for the job, 60 at most; None: no wait.
        respond_async: whether it asks for an answer before the job has ended.
    """

    wait: float | None = None
    respond_async: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an answer that has followed the preferences."""
        applied = ["respond-async"] if self.respond_async else []
        applied += [] if self.wait is None else [f"wait={self.wait:.0f}"]
        return {"Preference-Applied": ", ".join(applied)} if applied else {}


_NOTHING = Prefer()


def read_prefer(request: Request) -> Prefer:
    """Returns the preferences of a request; unknown ones are ignored, as RFC 7240 demands.

    Args:
        request: the request. Of a preference that is given twice, the first one counts.
    """
    headers = request.headers.getlist("prefer")
    if not headers:
        return _NOTHING
    text = ", ".join(headers)
    found: dict[str, str] = {}
    for name, quoted, bare in _PREFERENCE.findall(text):
        found.setdefault(name.lower(), quoted or bare)
    wait = found.get("wait", "")
    seconds = None
    if wait.isascii() and wait.isdecimal():
        seconds = min(float(wait[:9]), LONGEST_WAIT)
    return Prefer(seconds, "respond-async" in found)


async def await_job(job: Job[Any], seconds: float | None, request: Request) -> Job[Any]:
    """Returns the job once it has ended, or its state when the time is over or the client gone.

    Nothing is left behind: no thread waits, and no coroutine.

    Args:
        job: the job.
        seconds: the time to wait; None: no wait.
        request: the request that waits; its body has been read.

    Raises:
        JobNotFoundError: the job has been deleted.
        StoreError: the store cannot be read.
    """
    if not seconds or job.state.ended:
        return job
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + seconds, _SHORTEST_LOOK
    gone = asyncio.ensure_future(_gone(request))
    try:
        while not job.state.ended and not gone.done() and (left := deadline - loop.time()) > 0:
            await asyncio.wait({gone}, timeout=min(pause, left))
            pause = min(2 * pause, _LONGEST_LOOK)
            job = await job.arefresh()
    finally:
        gone.cancel()
        await asyncio.wait({gone})
    return job


async def _gone(request: Request) -> None:
    """Return when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
