"""Answers that several requests share, where each of them says how old its answer may be."""

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, cast

from starlette.requests import Request
from starlette.responses import Response

from rotulus._time.clock import monotonic
from rotulus.service.principal import principal_of
from rotulus.service.problems import Handler
from rotulus.service.scope import header, root_of

RATE = 1.0
"""How many statements a second are sent, on average, for requests that would take an older answer.

The stream of changes sends another: watching costs two a second, however many watch.
"""

_BURST, _OWED = 10.0, 4.0
"""How many statements may be sent at once after a rest, and how many are owed at most."""

_ASKED_AGAIN = 3.0
"""Seconds without another request after which a turn is lost."""

_MOST, _MOST_BYTES = 256, 16_000_000
"""How many answers are kept, and how many bytes they have together."""

_YOUNG = 0.5
"""Seconds up to which an answer is as good as a new one for whoever would take an older one."""

_LONGEST = 60.0
"""Seconds after which no answer is kept, whatever a request would take."""

_ANEW = re.compile(r"(?:^|[\s,])no-(?:cache|store)(?:$|[\s,=])")
_SECONDS = re.compile(r"(?:^|[\s,])(max-age|max-stale)\s*=\s*\"?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How old an answer may be.

    Attributes:
        wanted: seconds; an answer of that age is as good as a new one.
        most: seconds; an older answer is not taken.
    """

    wanted: float
    most: float


def tolerance_of(request: Request) -> Tolerance | None:
    """Returns how old the answer to a request may be (RFC 9111); None: a new one is asked for.

    `Cache-Control: max-age=1, max-stale=9` asks for an answer that is at most one second old, and
    takes one that is ten seconds old. What is younger than half a second is as good as new.
    """
    words = (header(request, b"cache-control") or "").lower()
    if _ANEW.search(words):
        return None
    said = dict(_SECONDS.findall(words))
    wanted = min(float(said.get("max-age", 0)), _LONGEST)
    most = min(wanted + float(said.get("max-stale", 0)), _LONGEST)
    young = min(max(wanted, _YOUNG), most)
    return Tolerance(young, most) if "max-age" in said and most > 0 else None


class _Budget:
    """So many statements a second, on average."""

    def __init__(self, now: float) -> None:
        self._left, self._at = _BURST, now

    def has_any(self, now: float) -> bool:
        """Returns whether a statement may be sent now."""
        self._left = min(_BURST, self._left + (now - self._at) * RATE)
        self._at = now
        return self._left > 0

    def spend(self, statements: int) -> None:
        """Note that statements are sent. What exceeds the budget is paid back by waiting."""
        self._left = max(-_OWED, self._left - statements)


class _Turns:
    """The order of readings, where the budget does not do for all: the longest wait comes first."""

    def __init__(self) -> None:
        self._asked: dict[object, float] = {}  # refused readings, and the last request for each

    def is_next(self, key: object, now: float) -> bool:
        """Returns whether nobody has waited longer."""
        for other, asked in list(self._asked.items()):
            if other == key or now - asked <= _ASKED_AGAIN:
                return other == key
            del self._asked[other]
        return True

    def wait(self, key: object, now: float) -> None:
        """Note that a reading was refused: behind those that wait, or in its place among them."""
        self._asked[key] = now

    def leave(self, key: object) -> None:
        """Note that an answer is read, or is young enough."""
        self._asked.pop(key, None)


class _Answer(NamedTuple):
    """What was read: middleware may change a response, and changes only that of its own request."""

    status: int
    body: bytes
    media_type: str | None
    headers: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, response: Response) -> "_Answer":
        """Returns what a response says."""
        body = bytes(response.body)
        return cls(response.status_code, body, response.media_type, tuple(response.raw_headers))

    def response(self, age: int | None = None) -> Response:
        """Returns a response that says so, and how many seconds old it is."""
        made = Response(self.body, self.status, media_type=self.media_type)
        made.raw_headers = list(self.headers)
        if age is not None:
            made.headers["Age"] = str(age)
        return made


@dataclass(slots=True)
class _Reading:
    """An answer that is read, or was read.

    Attributes:
        began: when reading began.
        task: the reading.
        loop: the event loop that reads.
        size: how many bytes the answer has; 0 until it is there.
    """

    began: float
    task: asyncio.Task[_Answer]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    size: int = 0


class SharedAnswers:
    """The last answers of the routes of an application, by what was asked for.

    A request that takes an older answer gets the one that is kept, or waits for the one that is
    being read. It is answered anew if that answer is older than the request wants and the budget of
    statements allows it, or if it is older than the request takes. A request without a tolerance is
    always answered anew, and its answer is kept for the others.

    Args:
        now: tells the time, in seconds.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._budget, self._turns = _Budget(now()), _Turns()
        self._kept: dict[object, _Reading] = {}

    async def answer(
        self, key: object, tolerance: Tolerance | None, read: Handler, request: Request, cost: int
    ) -> Response:
        """Returns an answer, with its age in the header `Age` if somebody else had it read.

        Args:
            key: what is asked for.
            tolerance: how old the answer may be; None: it is read now.
            read: reads it.
            request: the request.
            cost: how many statements a reading sends to the store.
        """
        now = self._now()
        found = self._kept.get(key)
        if found is not None and tolerance and self._is_good(key, found, tolerance, now):
            answer = await asyncio.shield(found.task)
            return answer.response(age=math.ceil(self._now() - found.began))
        self._turns.leave(key)
        if tolerance is not None:
            self._budget.spend(cost)
        made = _Reading(now, asyncio.create_task(_read(read, request)))
        self._kept.pop(key, None)
        self._kept[key] = made  # the newest stands last
        made.task.add_done_callback(partial(self._settle, key, made))
        return (await asyncio.shield(made.task)).response()

    def _is_good(self, key: object, found: _Reading, tolerance: Tolerance, now: float) -> bool:
        """Whether an answer is good enough; who would have a younger one waits for a turn."""
        age = now - found.began
        if found.loop is not asyncio.get_running_loop() or age > tolerance.most:
            return False
        if age <= tolerance.wanted or not found.task.done():
            self._turns.leave(key)
            return True
        if self._budget.has_any(now) and self._turns.is_next(key, now):
            return False
        self._turns.wait(key, now)
        return True

    def _settle(self, key: object, made: _Reading, task: asyncio.Task[_Answer]) -> None:
        """Keep an answer that was read, whoever waits for it; and none that went wrong."""
        if task.cancelled() or task.exception() is not None or task.result().status != 200:
            if self._kept.get(key) is made:
                del self._kept[key]
            return
        made.size = len(task.result().body)
        self._make_room()

    def _make_room(self) -> None:
        """Let go of the answers that are oldest, where they are too many, too large or too old."""
        now, size = self._now(), sum(one.size for one in self._kept.values())
        for other, one in list(self._kept.items()):
            is_old = one.task.done() and now - one.began > _LONGEST
            if not (is_old or len(self._kept) > _MOST or size > _MOST_BYTES):
                return
            size -= one.size
            del self._kept[other]


async def _read(read: Handler, request: Request) -> _Answer:
    return _Answer.of(await read(request))


def shared(read: Handler, cost: int) -> Handler:
    """Returns a handler that shares its answers among the requests that take an older one.

    An answer is shared by senders of one role, at one address of the service.

    Args:
        read: the handler. It reads nothing of a request but its address, its `Prefer`, and the
            sender's role.
        cost: how many statements a reading sends to the store.
    """

    async def answer(request: Request) -> Response:
        answers = _answers_of(request)
        role, prefer = principal_of(request).role, header(request, b"prefer")
        key = (str(request.url), root_of(request.scope), role, prefer)
        return await answers.answer(key, tolerance_of(request), read, request, cost)

    return answer


def _answers_of(request: Request) -> SharedAnswers:
    state = request.app.state
    if not hasattr(state, "rotulus_answers"):
        state.rotulus_answers = SharedAnswers()
    return cast("SharedAnswers", state.rotulus_answers)
