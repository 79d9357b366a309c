"""The header `Prefer` (RFC 7240): whether a request waits for its job, and for how long."""

import asyncio
import re
from typing import Any, NamedTuple

from starlette.requests import Request

from rotulus import Job

LONGEST_WAIT = 60.0
"""Seconds that a request waits at most, whatever it prefers."""

_SHORTEST_LOOK = 0.005
_LONGEST_LOOK = 0.25

_PREFERENCE = re.compile(r'([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;"]+)))?\s*(?:;[^,]*)?(?:,|$)')


class Prefer(NamedTuple):
    """What a request prefers.

    Attributes:
        wait: seconds to wait for the job, 60 at most; None: not at all.
        respond_async: whether it asks for an answer before the job has ended.
    """

    wait: float | None = None
    respond_async: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an answer that has done as the request prefers."""
        applied = ["respond-async"] if self.respond_async else []
        applied += [] if self.wait is None else [f"wait={self.wait:.0f}"]
        return {"Preference-Applied": ", ".join(applied)} if applied else {}


_NOTHING = Prefer()


def read_prefer(request: Request) -> Prefer:
    """What a request prefers; what it says and nobody understands is left out, as RFC 7240 has it.

    Args:
        request: the request. Of a preference that is given twice, the first one counts.
    """
    given = request.headers.getlist("prefer")
    if not given:
        return _NOTHING
    text = ", ".join(given)
    found: dict[str, str] = {}
    for name, quoted, bare in _PREFERENCE.findall(text):
        found.setdefault(name.lower(), quoted or bare)
    wait = found.get("wait", "")
    seconds = None
    if wait.isascii() and wait.isdecimal():
        seconds = min(float(wait[:9]), LONGEST_WAIT)
    return Prefer(seconds, "respond-async" in found)


async def await_job(job: Job[Any], seconds: float | None, request: Request) -> Job[Any]:
    """The job once it has ended, or as it stands when the time is over or the client has gone.

    Nothing is left behind: no thread waits, and no coroutine.

    Args:
        job: the job.
        seconds: how long to wait; None: not at all.
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
