"""`TaskHandle`: defers a running step, which gives up its slot while it waits."""

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, NoReturn

from rotulus._engine.execution import Execution
from rotulus._engine.verdict import describe_error
from rotulus._jobs.signals import Cancel, Snooze
from rotulus.errors import HandleConsumedError, OptionError
from rotulus.events import ConditionFailed, Events

_LOOK_EVERY = 0.2
"""Seconds between two looks whether the step is to stop."""

Condition = Callable[[], Any]


class Deferral:
    """The callers that wait in one attempt, and whether it holds its slot. For any thread.

    Several callers may wait at once, and the slot is free while one of them waits: the job that
    this one waits for might need the slot.

    Args:
        execution: the attempt.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._waiting = 0
        self._held = True
        self._requested = False
        self._returning: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Begin a wait: others may have the slot."""
        with self._lock:
            self._waiting += 1
            leaves, self._held = self._held, False
        if leaves:
            self._execution.leave_slot()

    def end(self, resume: Callable[[], object]) -> None:
        """End a wait; `resume` is called, in any thread, when its caller may go on."""
        with self._lock:
            self._waiting -= 1
            at_once = self._waiting > 0 or self._held
            if not at_once:
                self._returning.append(resume)
            asks = not (at_once or self._requested)
            self._requested = self._requested or asks
        if at_once:
            resume()
        if asks:
            self._execution.return_to_slot(self._granted)

    def _granted(self) -> None:
        with self._lock:
            self._requested = False
            self._held = not self._waiting  # another wait may have begun meanwhile
            leaves, returning, self._returning = not self._held, self._returning, []
        if leaves:
            self._execution.leave_slot()
        for resume in returning:
            resume()


class TaskHandle:
    """The handle of a step: lets it defer itself. It may be used until the step returns.

    Args:
        execution: the attempt.
        events: where a condition that raises is told.
        is_async: whether the step is a coroutine, which awaits.
    """

    def __init__(self, execution: Execution, events: Events, *, is_async: bool) -> None:
        self._execution = execution
        self._events = events
        self._is_async = is_async
        self._deferral = Deferral(execution)

    def is_slot_held(self) -> bool:
        """Whether the step holds a slot now. Raises `HandleConsumedError` once it has returned."""
        self._check()
        return not self._execution.deferred

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
        self._execution.waits = [*_not_begun(self._execution), waiting]
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
        if self._execution.ended:
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
            self._events.emit(ConditionFailed(self._execution.job, describe_error(error)))
            return False

    async def _aholds(self, condition: Condition) -> bool:
        try:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await _awaited(answer)
        except Exception as error:  # noqa: BLE001 - it does not hold, whatever it is
            self._events.emit(ConditionFailed(self._execution.job, describe_error(error)))
            return False
        return answer is True

    def _is_stopped(self) -> bool:
        return (
            self._execution.cancel_requested or self._execution.timed_out or self._execution.ended
        )

    def _raise_if_stopped(self) -> None:
        if self._is_stopped():
            raise Cancel("nobody waits for this step any more")


def forgotten(execution: Execution) -> bool:
    """Returns whether a step has called `defer_until` without awaiting it."""
    left = _not_begun(execution)
    for wait in left:
        wait.close()
    return bool(left)


def _not_begun(execution: Execution) -> list[Coroutine[Any, Any, None]]:
    return [
        wait for wait in execution.waits if inspect.getcoroutinestate(wait) == inspect.CORO_CREATED
    ]


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer
