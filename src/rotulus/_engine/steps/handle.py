"""`TaskHandle`: lets a running step give up its slot while it waits for something outside."""

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, NoReturn

from rotulus._engine.execution import Execution
from rotulus._engine.failure import describe_error
from rotulus._engine.steps.deferral import Deferral
from rotulus._jobs.signals import Cancel, Snooze
from rotulus.errors import HandleConsumedError, OptionError
from rotulus.events import ConditionFailed, Events

_LOOK_EVERY = 0.2
"""Seconds between two looks whether the step is to stop."""

Condition = Callable[[], Any]


class TaskHandle:
    """What a step that takes a `handle` may do with its slot. It is good until the step returns.

    Args:
        run: the attempt.
        events: where a condition that raises is told.
        is_async: whether the step is a coroutine, which awaits.
    """

    def __init__(self, run: Execution, events: Events, *, is_async: bool) -> None:
        self._run = run
        self._events = events
        self._is_async = is_async
        self._deferral = Deferral(run)

    def is_slot_held(self) -> bool:
        """Whether the step holds a slot now. Raises `HandleConsumedError` once it has returned."""
        self._check()
        return not self._run.deferred

    def defer_until(self, condition: Condition, poll_interval_ms: float = 1000) -> Any:
        """Give up the slot, wait until a condition holds, and take a slot again.

        In a coroutine it has to be awaited, else the step fails, and the condition may be a
        coroutine function. While it waits other jobs run in the slot, the lease is kept, and the
        job shows the reason `deferred`. Of several that wait at once the last one takes the slot
        back. A condition that raises, or returns anything but True, does not hold; what it raised
        is logged. It is asked at once, and then every `poll_interval_ms` milliseconds. A worker
        that stops gives the job back, and the step begins anew elsewhere: what is to survive that
        is `defer`.

        Raises:
            HandleConsumedError: the step has returned.
            OptionError: the condition cannot be called, or the interval is not above 0.
            Cancel: the job was cancelled meanwhile.
        """
        self._check()
        if not callable(condition):
            raise OptionError(f"defer_until({condition!r}) needs a function that returns a bool")
        if not 0 < poll_interval_ms < float("inf"):
            raise OptionError(
                f"poll_interval_ms={poll_interval_ms!r} is not allowed: give milliseconds above 0"
            )
        seconds = poll_interval_ms / 1000
        if not self._is_async:
            return self._defer(condition, seconds)
        waiting = self._adefer(condition, seconds)
        self._run.waits = [*_not_begun(self._run), waiting]
        return waiting

    def defer(self, seconds: float | None = None, *, until: datetime | None = None) -> NoReturn:
        """End this attempt without a failure, and begin the step anew later: it holds nothing.

        This survives a restart. What the attempt has set in its context is not kept.

        Args:
            seconds: how long to wait; or
            until: the moment to begin again, as an aware datetime.

        Raises:
            Snooze: always; let it pass.
            OptionError: neither or both are given, or the value is out of range.
        """
        self._check()
        raise Snooze(seconds, until=until)

    def _check(self) -> None:
        if self._run.ended:
            raise HandleConsumedError(
                "This handle has been consumed: its step has returned. Use it in the step only"
            )

    def _defer(self, condition: Condition, seconds: float) -> None:
        self._deferral.begin()
        while not self._holds(condition):
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                self._raise_if_stopped()
                time.sleep(min(left, _LOOK_EVERY))
        back = threading.Event()
        self._deferral.end(back.set)
        while not back.wait(_LOOK_EVERY):
            self._raise_if_stopped()

    async def _adefer(self, condition: Condition, seconds: float) -> None:
        self._deferral.begin()
        try:
            while not await self._aholds(condition):  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(seconds)
        finally:
            if not self._is_stopped():  # else the step ends, and with it what it holds
                await self._come_back()

    async def _come_back(self) -> None:
        """Wait for the slot, also when the step has set itself a timeout that is over by then."""
        loop, back = asyncio.get_running_loop(), asyncio.Event()
        self._deferral.end(lambda: loop.call_soon_threadsafe(back.set))
        cancelled: asyncio.CancelledError | None = None
        while not back.is_set():
            try:
                await back.wait()
            except asyncio.CancelledError as error:
                if self._is_stopped():
                    raise
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def _holds(self, condition: Condition) -> bool:
        try:
            return condition() is True
        except Exception as error:  # noqa: BLE001 - it does not hold, whatever it is
            self._events.emit(ConditionFailed(self._run.job, describe_error(error)))
            return False

    async def _aholds(self, condition: Condition) -> bool:
        try:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await _awaited(answer)
        except Exception as error:  # noqa: BLE001 - it does not hold, whatever it is
            self._events.emit(ConditionFailed(self._run.job, describe_error(error)))
            return False
        return answer is True

    def _is_stopped(self) -> bool:
        return self._run.cancel_requested or self._run.timed_out or self._run.ended

    def _raise_if_stopped(self) -> None:
        if self._is_stopped():
            raise Cancel("nobody waits for this step any more")


def forgotten(run: Execution) -> bool:
    """Whether a step has called `defer_until` and not awaited it: it has not waited then."""
    left = _not_begun(run)
    for wait in left:
        wait.close()
    return bool(left)


def _not_begun(run: Execution) -> list[Coroutine[Any, Any, None]]:
    return [wait for wait in run.waits if inspect.getcoroutinestate(wait) == inspect.CORO_CREATED]


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer
