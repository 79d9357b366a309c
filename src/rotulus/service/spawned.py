"""Spawned calls: each waits for its turn, runs on its own event loop, and ends once.

`LocalJobs` has those of this process: the live calls, and the outcomes of the last ones.
"""

import asyncio
import concurrent.futures
import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from contextvars import copy_context
from itertools import count
from typing import Any, cast

from rotulus import Cancel
from rotulus._concurrency.pool import in_own_thread
from rotulus._jobs.current import CURRENT
from rotulus.errors import JobLostError

_LOOK_EVERY = 1.0
"""Seconds between two checks that the event loop of a call is still there."""

Outcome = tuple[Any, BaseException | None]


class Spawned:
    """One spawned call. Made on its event loop, used from any thread.

    Args:
        target: an awaitable, or a function, which is called when its turn has come: a plain one in
            a thread.
        args: for the function.
        kwargs: for the function.
    """

    def __init__(self, target: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> None:
        self._target = target
        self._args = args
        self._kwargs: dict[str, Any] = kwargs or {}
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._lock = threading.Lock()
        self._begun = False
        self._unwanted = False
        self._task: asyncio.Task[Outcome] | None = None
        self._ended: concurrent.futures.Future[Outcome] = concurrent.futures.Future()

    @property
    def waits(self) -> bool:
        """Whether the call has neither begun nor ended."""
        return not self._begun and not self._unwanted

    @property
    def outcome(self) -> Outcome | None:
        """The result and the exception; None while the call has not ended."""
        return self._ended.result() if self._ended.done() else None

    async def run(self) -> Any:
        """Run the call on its own event loop. Returns its result. May be called on any event loop.

        A cancelled caller cancels the call, and waits for its end all the same.

        Raises:
            Cancel: it was cancelled, there or here.
            JobLostError: the event loop that it was spawned on has ended.
        """
        with self._lock:
            self._begun = not self._unwanted
        if self._begun:
            self._start()
        value, error = await self._end()
        if isinstance(error, asyncio.CancelledError):
            raise Cancel("cancelled")
        if error is not None:
            raise error
        return value

    def cancel(self) -> None:
        """End the call: at once if it waits, else by cancelling its asyncio task."""
        with self._lock:
            self._unwanted = True
            begun = self._begun
        if begun:
            with suppress(RuntimeError):  # the loop is closed, and the call has ended with it
                self._loop.call_soon_threadsafe(self._cancel_task)
        else:
            self._close()
            self._settle((None, asyncio.CancelledError()))

    def _start(self) -> None:
        # From now on the code belongs to the attempt that awaits this.
        self._context.run(CURRENT.set, CURRENT.get())
        try:
            self._loop.call_soon_threadsafe(self._begin)
        except RuntimeError:
            self._lose()

    async def _end(self) -> Outcome:
        answer = asyncio.wrap_future(self._ended)
        while not answer.done():
            try:
                await asyncio.wait({answer}, timeout=_LOOK_EVERY)
            except asyncio.CancelledError:
                self.cancel()
            if self._loop.is_closed():
                self._lose()
        return answer.result()

    def _begin(self) -> None:
        """On its loop."""
        self._task = self._loop.create_task(self._captured(), context=self._context)
        self._task.add_done_callback(self._note_end)
        if self._unwanted:
            self._task.cancel()

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _captured(self) -> Outcome:
        # In an asyncio task of its own, a SystemExit would end the event loop.
        try:
            return await self._body(), None
        except BaseException as error:  # noqa: BLE001 - handed on to the caller that waits
            return None, error

    async def _body(self) -> Any:
        if inspect.isawaitable(self._target):
            if self._args or self._kwargs:
                self._close()
                raise TypeError(
                    "an awaitable takes no arguments: give the function, and call it so"
                )
            return await self._target
        if inspect.iscoroutinefunction(self._target):
            return await self._target(*self._args, **self._kwargs)
        value = await in_own_thread(self._target, *self._args, **self._kwargs)
        return await value if inspect.isawaitable(value) else value

    def _note_end(self, task: "asyncio.Task[Outcome]") -> None:
        if task.cancelled():  # before its first step
            self._close()
            self._settle((None, asyncio.CancelledError()))
        else:
            self._settle(task.result())

    def _lose(self) -> None:
        self._close()
        lost = JobLostError("the event loop that it was spawned on has ended")
        self._settle((None, lost))

    def _close(self) -> None:
        """Close a call that never begins, so that Python does not warn about it."""
        if inspect.iscoroutine(self._target):
            with suppress(Exception):  # it runs, or its own clean-up raises
                cast("Coroutine[Any, Any, Any]", self._target).close()

    def _settle(self, outcome: Outcome) -> None:
        with suppress(concurrent.futures.InvalidStateError):  # it has ended before
            self._ended.set_result(outcome)


KEPT = 1000
"""The number of outcomes that are kept as Python values."""


class LocalJobs:
    """The spawned jobs of one process. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = count(1)
        self._calls: dict[int, Spawned] = {}
        self._numbers: dict[str, int] = {}
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, call: Spawned) -> int:
        """Record a spawned call that is not stored yet. Returns the number for its job."""
        number = next(self._last)
        self._calls[number] = call
        return number

    def name(self, number: int, job_id: str) -> None:
        """Record that the job is stored; the call may have ended meanwhile."""
        with self._lock:
            if number in self._calls:
                self._numbers[job_id] = number

    def drop(self, number: int) -> None:
        """Record that the job could not be stored."""
        call = self._calls.pop(number, None)
        if call is not None:
            call.cancel()

    def numbered(self, number: int) -> Spawned | None:
        """Returns the live call with a number."""
        return self._calls.get(number)

    def call(self, job_id: str) -> Spawned | None:
        """Returns the spawned call of a job, if it is live in this process."""
        return self._calls.get(self._numbers.get(job_id, 0))

    def chosen(self, which: Callable[[Spawned], bool] = lambda _: True) -> dict[str, Spawned]:
        """Returns the live calls by the ids of their jobs: all of them, or the chosen ones."""
        with self._lock:
            found = {one: self._calls.get(number) for one, number in self._numbers.items()}
        return {one: call for one, call in found.items() if call is not None and which(call)}

    def note_end(self, number: int, job_id: str) -> None:
        """Record that a job has ended, and keep its outcome as one of the last."""
        with self._lock:
            call = self._calls.pop(number, None)
            self._numbers.pop(job_id, None)
            if call is not None and call.outcome is not None:
                self._outcomes[job_id] = call.outcome
            while len(self._outcomes) > KEPT:
                self._outcomes.popitem(last=False)

    def outcome(self, job_id: str) -> Outcome | None:
        """Returns the result and the exception of a job, if it ended here lately."""
        return self._outcomes.get(job_id)

    def forget(self, ids: Iterable[str]) -> None:
        """Record that these jobs have ended in the store."""
        with self._lock:
            for job_id in ids:
                self._calls.pop(self._numbers.pop(job_id, 0), None)
                self._outcomes.pop(job_id, None)

    def discard(self) -> None:
        """Close the calls that have not begun, so that Python does not warn about them."""
        for call in list(self._calls.values()):
            if call.waits:
                call.cancel()
