"""Group commit: performs calls that come at the same time together, in as few groups as possible.

There is no timer, and no thread but those of the callers. A caller that finds none at work leads:
it performs every call that has come in by then, as one group. A call that comes meanwhile waits,
and is in the next group. A lone caller pays for a group of one and no hand-over; a hundred callers
pay for a few groups together.

A call leaves the queue only when it has its answer. So an interrupt, wherever it comes, leaves
nothing half done: the next leader finds in the queue the calls that have no answer yet.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

from rotulus._concurrency.exclusive import Exclusive
from rotulus._concurrency.handover import tell
from rotulus._concurrency.pool import ThreadPool
from rotulus._forking import follow_forks
from rotulus.errors import (
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
    ThreadNotStartedError,
)

W = TypeVar("W")
R = TypeVar("R")

_MOST = 200
"""How many calls are in a group at most, so that none waits for a long one."""

_LOOK_AGAIN = 0.1
"""Seconds after which a waiting caller looks whether the leader was interrupted."""

_GRACE = 0.1
"""Share of its time that a caller waits longer: the leader knows better why it took too long."""

_COROUTINE_CALLS = ThreadPool("rotulus-add", 4)
"""Where the calls of coroutines are performed: apart from calls that may wait for each other."""


class Group(Generic[W]):
    """Calls that are performed together.

    Attributes:
        works: what the callers want.
        end: when the group has to be performed, by the monotonic clock.
        unsure: whether an interrupt, now, would leave it unknown whether they are performed. A
            group that is not unsure may be performed again.
        blames_one: whether an error, of whatever type, is due to what one of the calls asks for.
    """

    def __init__(self, works: Sequence[W], end: float) -> None:
        self.works = works
        self.end = end
        self.unsure = False
        self.blames_one = False


class _Call(Generic[W, R]):
    """One call, and its answer.

    Attributes:
        tell: called when it has its answer, and when it may lead.
    """

    __slots__ = ("_claim", "end", "error", "settled", "tell", "value", "work")

    def __init__(self, work: W, end: float, tell: Callable[[], object]) -> None:
        self.work = work
        self.end = end
        self.tell = tell
        self.value: R | None = None
        self.error: BaseException | None = None
        self.settled = False
        self._claim: dict[None, bool] = {}

    def take(self) -> bool:
        """Take it into a group; False when it was withdrawn before."""
        return self._claim.setdefault(None, True)

    def withdraw(self) -> bool:
        """Have it not performed; False when it has been taken into a group before."""
        return not self._claim.setdefault(None, False)

    @property
    def gone(self) -> bool:
        """Whether no caller waits for it any more."""
        return self.settled or self._claim.get(None) is False

    def answer(self, value: R | None, error: BaseException | None) -> None:
        if not self.settled:
            self.value, self.error = value, error
            self.settled = True
            self.tell()


class Coalescer(Generic[W, R]):
    """Performs calls together.

    Args:
        perform: performs the calls of a group, all or none, and returns the answer of each. When
            it raises, none has been performed. It may be called again with the same calls.
        apart: the same for one call whose caller has interrupted a group in its own thread, as a
            signal handler does.
        seconds: how long a call may take in all, waiting included; infinity where a group has a
            limit of its own, or none.
        place: what to call the store in messages.
        most: how many calls are performed together at most.
        pool: where the calls of coroutines are performed, if these may wait for other programs;
            usually threads that all coalescers share.
    """

    def __init__(
        self,
        perform: Callable[[Group[W]], Sequence[R]],
        apart: Callable[[Group[W]], Sequence[R]],
        seconds: Callable[[], float],
        place: str,
        most: int = _MOST,
        pool: ThreadPool | None = None,
    ) -> None:
        self._perform = perform
        self._apart = apart
        self._seconds = seconds
        self._place = place
        self._most = most
        self._pool = pool or _COROUTINE_CALLS
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        """In a forked child: forget the waiting calls, which are the parent's."""
        self._exclusive = Exclusive()
        self._waiting: deque[_Call[W, R]] = deque()

    def run(self, work: W) -> R:
        """Perform a call, together with others, and return its answer.

        Raises what performing it raises; the error of one call is never raised by another.
        """
        bell: SimpleQueue[None] = SimpleQueue()
        call = _Call[W, R](work, time.monotonic() + self._seconds(), partial(bell.put, None))
        self._waiting.append(call)
        try:
            while not call.settled:
                if self._exclusive.attempt(partial(self._lead, call)):
                    self._wake_next_leader()
                elif self._exclusive.is_below():
                    self._run_apart(call)
                else:
                    self._wait(call, bell)
        except BaseException as error:
            call.withdraw()
            call.answer(None, error)
            self._wake_next_leader()
            raise
        if call.error is not None:
            raise call.error
        return cast("R", call.value)

    async def arun(self, work: W) -> R:
        """Perform a call without blocking the event loop, in a thread of ours."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()

        def notice() -> None:
            if call.settled:
                tell(loop, partial(_deliver, answer, call))
            else:
                self._pool.submit(self._lead_if_free, refuse)

        def refuse(error: ThreadNotStartedError) -> None:
            if call.withdraw():  # it has not begun, and never would
                call.answer(None, error)

        call = _Call[W, R](work, time.monotonic() + self._seconds(), notice)
        timer = None
        try:
            self._waiting.append(call)
            notice()
            timer = self._timer(loop, answer, call) if call.end < math.inf else None
            return await answer
        finally:
            call.withdraw()
            if timer is not None:
                timer.cancel()

    def alone(self, function: Callable[[], object]) -> None:
        """Run a function when no group is under way, or on top of one that this interrupted."""
        while not self._exclusive.attempt(function):
            if self._exclusive.is_below():
                function()
                return
            time.sleep(0.001)
        self._wake_next_leader()

    def unless_busy(self, function: Callable[[], object]) -> bool:
        """Run a function, unless a group is under way; returns whether it was run."""
        return self._exclusive.attempt(function)

    def _lead(self, mine: _Call[W, R]) -> None:
        """Perform groups until a call has its answer."""
        while not mine.settled:
            self._perform_next(mine.end)

    def _lead_if_free(self) -> None:
        """Perform groups until no call waits, unless another thread leads and does so."""
        while self._first() is not None:
            with suppress(Exception):  # the callers that it concerns have been told
                if not self._exclusive.attempt(self._lead_all):
                    return

    def _lead_all(self) -> None:
        while (first := self._first()) is not None:
            self._perform_next(first.end)

    def _wake_next_leader(self) -> None:
        """Wake the caller that has waited longest: it leads next."""
        first = self._first()
        if first is not None:
            first.tell()

    def _first(self) -> "_Call[W, R] | None":
        return next((call for call in list(self._waiting) if not call.gone), None)

    def _perform_next(self, end: float) -> None:
        self._drop_gone()
        present = [call for call in list(self._waiting) if not call.gone]
        calls = [call for call in present[: self._most] if call.take()]
        if calls:
            self._perform_group(calls, end)
        self._drop_gone()

    def _drop_gone(self) -> None:
        """Drop calls without a caller from the head of the queue. Only the leader does so."""
        while self._waiting and self._waiting[0].gone:
            self._waiting.popleft()

    def _perform_group(self, calls: Sequence[_Call[W, R]], end: float) -> None:
        """Perform calls together; if that fails, apart, unless all of them fail alike."""
        group = Group([call.work for call in calls], end)
        values: Sequence[R] | None = None
        try:
            values = self._perform(group)
            _answer(calls, values)
        except BaseException as error:
            if values is not None:
                _answer(calls, values)
                raise
            if group.unsure:
                self._answer_unknown(calls, error)
                raise
            if not isinstance(error, Exception):
                raise
            is_common = _is_common(error) and not group.blames_one
            self._fail(calls, end, error, is_common=is_common)

    def _fail(
        self, calls: Sequence[_Call[W, R]], end: float, error: Exception, *, is_common: bool
    ) -> None:
        if is_common:
            calls = [*calls, *(call for call in list(self._waiting) if call.take())]
            for call in calls:
                own = type(error)(str(error))  # each raises one of its own
                own.__cause__ = error
                call.answer(None, own)
        elif len(calls) == 1:
            calls[0].answer(None, error)
        else:
            half = len(calls) // 2
            self._perform_group(calls[:half], end)
            self._perform_group(calls[half:], end)
            if not isinstance(error, StoreError) and all(call.error is None for call in calls):
                raise error  # none of the calls raised it: a signal handler did

    def _answer_unknown(self, calls: Sequence[_Call[W, R]], interrupt: BaseException) -> None:
        for call in calls:
            error = StoreUnavailableError(
                f"{self._place}: a {type(interrupt).__name__} came while this was being written, "
                f"and it is not known whether it is stored: look, or give it a key and repeat it"
            )
            call.answer(None, error)

    def _run_apart(self, call: _Call[W, R]) -> None:
        call.withdraw()
        try:
            [value] = self._apart(Group([call.work], call.end))
        except Exception as error:  # noqa: BLE001 - it is for the caller
            call.answer(None, error)
        else:
            call.answer(value, None)

    def _wait(self, call: _Call[W, R], bell: "SimpleQueue[None]") -> None:
        """Wait for the answer of a call, or until it may lead."""
        left = self._left(call)
        if left <= 0:
            raise self._late(call)
        with suppress(Empty):
            bell.get(timeout=min(left, _LOOK_AGAIN))

    def _timer(
        self, loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[R]", call: _Call[W, R]
    ) -> asyncio.TimerHandle:
        """Returns a timer that answers a coroutine when its call is late."""

        def give_up() -> None:
            if not answer.done():
                answer.set_exception(self._late(call))

        return loop.call_later(self._left(call), give_up)

    def _left(self, call: _Call[W, R]) -> float:
        return call.end + _GRACE * self._seconds() - time.monotonic()

    def _late(self, call: _Call[W, R]) -> Exception:
        took = f"{self._place} has been busy with other calls of this process for too long"
        if call.withdraw():
            return StoreBusyError(f"{took}; this one was not begun: try again")
        return StoreUnavailableError(
            f"{took}; it is not known whether this one is stored: look, or give it a key and "
            f"repeat it"
        )


def _is_common(error: Exception) -> bool:
    """Returns whether no single call is to blame, so that all waiting calls fail together.

    A single call may be refused for what it writes, or for the space that it needs: another one
    may fit.
    """
    own = (StoreRefusedError, StoreFullError)
    return isinstance(error, StoreError) and not isinstance(error, own)


def _answer(calls: Sequence[_Call[Any, R]], values: Sequence[R]) -> None:
    for call, value in zip(calls, values, strict=True):
        call.answer(value, None)


def _deliver(answer: "asyncio.Future[R]", call: _Call[Any, R]) -> None:
    if answer.done():
        return
    if call.error is not None:
        answer.set_exception(call.error)
    else:
        answer.set_result(cast("R", call.value))
